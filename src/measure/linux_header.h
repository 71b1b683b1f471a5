#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace portcullis::measure {

/// A kernel as older QEMU hands it to TDX firmware: with the fields of the boot protocol that a loader
/// fills in (QEMU hw/i386/x86.c, x86_load_linux). The initrd's place depends on the guest's memory.
/// Newer QEMU, and EDK II that reads "etc/boot/kernel", leave the kernel as it is.
/// Errors: RequestMalformed (no Linux boot protocol of 2.03 or later, an initrd that does not fit).
Result<ByteBuffer> KernelAsLoaded(Bytes kernel, std::uint64_t initrd_bytes, std::uint64_t memory_bytes);

}  // namespace portcullis::measure
