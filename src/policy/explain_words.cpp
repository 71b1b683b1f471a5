#include "policy/explain_words.h"

#include <sstream>

namespace portcullis::policy {

std::string Mask(std::uint64_t value) {
  std::ostringstream out;
  out << "0x" << std::hex << value;
  return out.str();
}

}  // namespace portcullis::policy
