#pragma once

namespace portcullis {

/// Lets a long-running process's threads share two heaps. glibc gives nearly each of them one of its own, and
/// every one keeps what its largest piece of work once needed. To be called before threads are started.
void ShareHeaps();

}  // namespace portcullis
