#pragma once

#include <string_view>

#include "base/result.h"

namespace portcullis {

/// A named place where a test build can kill, delay, pause or fail the process:
/// PORTCULLIS_FAILPOINT="name=kill|error|delay:MS|pause[;name=...]"; each fires once a process, or with a
/// count
/// ("name=kill@3": at the third pass). Compiled in only where PORTCULLIS_FAILPOINTS is defined; elsewhere it
/// is nothing, and the names are not in the executable.
#ifdef PORTCULLIS_FAILPOINTS
Result<> FailPoint(std::string_view name);
#else
#define FailPoint(name) (::portcullis::Result<>(::portcullis::Done{}))
#endif

}  // namespace portcullis
