#include "base/heap.h"

#include <malloc.h>

namespace portcullis {

void ShareHeaps() { (void)mallopt(M_ARENA_MAX, 2); }

}  // namespace portcullis
