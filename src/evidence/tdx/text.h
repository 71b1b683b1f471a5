#pragma once

#include "evidence/text.h"

namespace portcullis::tdx {

using evidence::AsItIs, evidence::FromReport, evidence::HexNumber, evidence::OneOf;

}  // namespace portcullis::tdx
