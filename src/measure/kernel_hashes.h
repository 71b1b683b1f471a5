#pragma once

#include "measure/snp.h"

namespace portcullis::measure {

/// The page with the table of hashes of kernel, initrd and command line (QEMU target/i386/sev.c,
/// SevHashTable), which starts at `offset` in it. Error: RequestMalformed where it does not fit the page.
Result<Page> KernelHashesPage(const DirectBoot& boot, std::size_t offset);

}  // namespace portcullis::measure
