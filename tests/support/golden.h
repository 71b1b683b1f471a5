#pragma once

#include <string>
#include <string_view>

namespace portcullis::test {

/// A file of the source tree that is derived from code: compared, or with PORTCULLIS_GOLDEN=write written
/// anew
/// (`make golden`), so that the diff is the review. `relative` to the source root.
void ExpectGolden(std::string_view relative, std::string_view actual);

/// The text of a file of the source tree, such as a page whose examples must be true.
std::string ReadSource(std::string_view relative);

}  // namespace portcullis::test
