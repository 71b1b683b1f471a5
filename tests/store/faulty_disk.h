#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace portcullis::test {

/// SQLite's disk with faults: while one lives it is the default VFS. It counts syncs, makes writes and syncs
/// fail, and knows what a power cut would leave: what was synced, and of what was not, any part.
class FaultyDisk {
 public:
  FaultyDisk() {
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.zName = "faulty";
    vfs_.pNext = nullptr;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.pAppData = this;
    vfs_.xOpen = Open;
    vfs_.xDelete = Delete;
    sqlite3_vfs_register(&vfs_, 1);
  }
  ~FaultyDisk() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_, 1);
  }
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  /// The n-th write, sync or read from now (1 is the next) fails once with `code`.
  void FailWrite(int n, int code) { Set(write_fault_, n, code); }
  void FailSync(int n, int code) { Set(sync_fault_, n, code); }
  void FailRead(int n, int code) { Set(read_fault_, n, code); }
  int syncs() const {
    const std::lock_guard lock(mutex_);
    return syncs_;
  }
  int operations() const {
    const std::lock_guard lock(mutex_);
    return operations_;
  }
  /// Takes the picture of a power cut before the n-th operation from now; `seed` decides what of the unsynced
  /// writes has reached the disk. `at_cut` is called at that moment.
  void CutPower(int n, unsigned seed, std::function<void()> at_cut) {
    const std::lock_guard lock(mutex_);
    cut_at_ = operations_ + n;
    seed_ = seed;
    at_cut_ = std::move(at_cut);
  }
  /// Writes the files of that picture into a directory. False where the moment never came.
  bool Restore(const std::filesystem::path& directory) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [path, content] : picture_)
      std::ofstream(directory / std::filesystem::path(path).filename(), std::ios::binary)
          .write(content.data(), static_cast<std::streamsize>(content.size()));
    return !picture_.empty();
  }

 private:
  struct Write {
    std::size_t offset;
    std::string bytes;
    bool truncate;
  };
  struct Content {
    std::string durable;
    std::vector<Write> pending;
  };
  struct Fault {
    int countdown = 0;
    int code = SQLITE_OK;
  };
  struct File {
    sqlite3_file base;
    FaultyDisk* disk;
    const char* path;  // SQLite keeps it while the file is open; nullptr for temporary files
    sqlite3_file* real() { return static_cast<sqlite3_file*>(static_cast<void*>(this + 1)); }
  };
  static File* Of(sqlite3_file* file) { return static_cast<File*>(static_cast<void*>(file)); }
  static sqlite3_file* Real(sqlite3_file* file) { return Of(file)->real(); }
  static FaultyDisk& Disk(sqlite3_file* file) { return *Of(file)->disk; }

  void Set(Fault& fault, int n, int code) {
    const std::lock_guard lock(mutex_);
    fault = {n, code};
  }
  // With the mutex held, before each operation.
  int Step(Fault* fault) {
    if (++operations_ == cut_at_) TakePicture();
    return fault == nullptr ? SQLITE_OK : Due(*fault);
  }
  static int Due(Fault& fault) {
    if (fault.countdown == 0 || --fault.countdown > 0) return SQLITE_OK;
    return fault.code;
  }
  static void Apply(std::string& content, const Write& write) {
    if (write.truncate) return content.resize(write.offset);
    if (content.size() < write.offset + write.bytes.size()) content.resize(write.offset + write.bytes.size());
    content.replace(write.offset, write.bytes.size(), write.bytes);
  }
  void TakePicture() {
    constexpr std::size_t kSector = 512;
    std::mt19937 random(seed_);
    for (const auto& [path, content] : contents_) {
      std::string bytes = content.durable;
      for (const Write& write : content.pending) {
        if (write.truncate) {
          if (random() % 2 == 0) Apply(bytes, write);
          continue;
        }
        for (std::size_t at = 0; at < write.bytes.size(); at += kSector)
          if (random() % 2 == 0) Apply(bytes, {write.offset + at, write.bytes.substr(at, kSector), false});
      }
      picture_[path] = std::move(bytes);
    }
    at_cut_();
  }

  static int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
    auto* disk = static_cast<FaultyDisk*>(vfs->pAppData);
    File* shim = Of(file);
    shim->base.pMethods = nullptr;
    shim->disk = disk;
    shim->path = path;
    const int code = disk->real_->xOpen(disk->real_, path, shim->real(), flags, out_flags);
    if (shim->real()->pMethods != nullptr) shim->base.pMethods = &kMethods;
    return code;
  }
  static int Delete(sqlite3_vfs* vfs, const char* path, int sync_directory) {
    auto* disk = static_cast<FaultyDisk*>(vfs->pAppData);
    {
      const std::lock_guard lock(disk->mutex_);
      disk->contents_.erase(path);
    }
    return disk->real_->xDelete(disk->real_, path, sync_directory);
  }
  static int WriteFile(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    FaultyDisk& disk = Disk(file);
    {
      const std::lock_guard lock(disk.mutex_);
      if (const int code = disk.Step(&disk.write_fault_); code != SQLITE_OK) return code;
      if (Of(file)->path != nullptr)
        disk.contents_[Of(file)->path].pending.push_back(
            {static_cast<std::size_t>(offset),
             std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size)), false});
    }
    return Real(file)->pMethods->xWrite(Real(file), bytes, size, offset);
  }
  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    FaultyDisk& disk = Disk(file);
    {
      const std::lock_guard lock(disk.mutex_);
      (void)disk.Step(nullptr);
      if (Of(file)->path != nullptr)
        disk.contents_[Of(file)->path].pending.push_back({static_cast<std::size_t>(size), "", true});
    }
    return Real(file)->pMethods->xTruncate(Real(file), size);
  }
  static int Read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
    FaultyDisk& disk = Disk(file);
    {
      const std::lock_guard lock(disk.mutex_);
      if (const int code = Due(disk.read_fault_); code != SQLITE_OK) return code;
    }
    return Real(file)->pMethods->xRead(Real(file), to, size, offset);
  }
  // What is durable is ours to say, so the real disk need not be waited for.
  static int Sync(sqlite3_file* file, int) {
    FaultyDisk& disk = Disk(file);
    const std::lock_guard lock(disk.mutex_);
    if (const int code = disk.Step(&disk.sync_fault_); code != SQLITE_OK) return code;
    ++disk.syncs_;
    if (Of(file)->path == nullptr) return SQLITE_OK;
    Content& content = disk.contents_[Of(file)->path];
    for (const Write& write : content.pending) Apply(content.durable, write);
    content.pending.clear();
    return SQLITE_OK;
  }

  static constexpr sqlite3_io_methods kMethods = {
      2,  // no xFetch: nothing is read past us
      [](sqlite3_file* f) { return Real(f)->pMethods->xClose(Real(f)); },
      Read,
      WriteFile,
      Truncate,
      Sync,
      [](sqlite3_file* f, sqlite3_int64* size) { return Real(f)->pMethods->xFileSize(Real(f), size); },
      [](sqlite3_file* f, int level) { return Real(f)->pMethods->xLock(Real(f), level); },
      [](sqlite3_file* f, int level) { return Real(f)->pMethods->xUnlock(Real(f), level); },
      [](sqlite3_file* f, int* out) { return Real(f)->pMethods->xCheckReservedLock(Real(f), out); },
      [](sqlite3_file* f, int op, void* arg) { return Real(f)->pMethods->xFileControl(Real(f), op, arg); },
      [](sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); },
      // None of the promises that let SQLite skip a sync.
      [](sqlite3_file*) { return 0; },
      [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
        return Real(f)->pMethods->xShmMap(Real(f), page, size, extend, out);
      },
      [](sqlite3_file* f, int at, int n, int flags) {
        return Real(f)->pMethods->xShmLock(Real(f), at, n, flags);
      },
      [](sqlite3_file* f) { Real(f)->pMethods->xShmBarrier(Real(f)); },
      [](sqlite3_file* f, int remove) { return Real(f)->pMethods->xShmUnmap(Real(f), remove); },
      nullptr,
      nullptr,
  };

  sqlite3_vfs* real_ = nullptr;
  sqlite3_vfs vfs_{};
  mutable std::mutex mutex_;
  Fault write_fault_, sync_fault_, read_fault_;
  int syncs_ = 0, operations_ = 0, cut_at_ = -1;
  unsigned seed_ = 0;
  std::function<void()> at_cut_;
  std::map<std::string, Content> contents_;
  std::map<std::string, std::string> picture_;
};

}  // namespace portcullis::test
