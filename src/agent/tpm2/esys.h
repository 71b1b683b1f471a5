#pragma once

// Ownership and call conventions of tpm2-tss, for this folder alone.

#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

#include <memory>
#include <utility>

#include "base/result.h"

namespace portcullis::agent {

struct FinalizeTcti {
  void operator()(TSS2_TCTI_CONTEXT* context) const { Tss2_TctiLdr_Finalize(&context); }
};
using TctiPtr = std::unique_ptr<TSS2_TCTI_CONTEXT, FinalizeTcti>;

struct FinalizeEsys {
  void operator()(ESYS_CONTEXT* context) const { Esys_Finalize(&context); }
};
using EsysPtr = std::unique_ptr<ESYS_CONTEXT, FinalizeEsys>;

struct FreeEsys {
  void operator()(void* memory) const { Esys_Free(memory); }
};
template <typename T>
using EsysMemory = std::unique_ptr<T, FreeEsys>;

/// What a response code stands for: done, or an error with the code in its place.
Result<> Outcome(TSS2_RC code, StaticText what);

/// An object of the TPM by its handle, for as long as this lives.
class TpmObject {
 public:
  /// Error: NotFound where the TPM has no such object.
  static Result<TpmObject> Open(ESYS_CONTEXT* context, TPM2_HANDLE handle);
  TpmObject(TpmObject&& other) noexcept
      : context_(other.context_), id_(std::exchange(other.id_, ESYS_TR_NONE)) {}
  TpmObject& operator=(TpmObject&&) = delete;
  ~TpmObject() {
    if (id_ != ESYS_TR_NONE) Esys_TR_Close(context_, &id_);
  }
  ESYS_TR id() const { return id_; }

 private:
  TpmObject(ESYS_CONTEXT* context, ESYS_TR id) : context_(context), id_(id) {}
  ESYS_CONTEXT* context_;
  ESYS_TR id_;
};

}  // namespace portcullis::agent
