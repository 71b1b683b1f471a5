#pragma once

#include <string>
#include <vector>

#include "codec/json.h"

namespace portcullis::test {

/// The value at a place of a document: `path` has names and, for items, numbers.
inline codec::Json& At(codec::Json& root, const std::vector<std::string>& path) {
  codec::Json* here = &root;
  for (const std::string& step : path) {
    if (auto* array = here->if_array())
      here = &array->at(static_cast<std::size_t>(std::stoi(step)));
    else
      here = &here->Member(step);
  }
  return *here;
}

}  // namespace portcullis::test
