#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/secret_bytes.h"

namespace portcullis::agent {

/// Who may read a key file: its owner alone, and where asked for its group too, which in a directory with the
/// setgid bit is the directory's.
struct Readers {
  std::optional<std::uint32_t> owner = {};  // user id; nullopt: whoever this process runs as
  bool group = false;
};

/// Writes the key to `directory`/`name`, mode 0400 (0440 for the group), whole or not at all. The directory
/// must be on tmpfs: a key never reaches a disk. An earlier file of that name is replaced. Errors:
/// ConfigurationInvalid (not tmpfs, bad name), InternalError.
Result<> DeliverAsFile(const SecretBytes& key, const std::string& directory, const std::string& name,
                       const Readers& readers = {});

/// Replaces this process by `command`, which inherits a descriptor on a sealed memory file with the key; its
/// number is in the environment as PORTCULLIS_KEY_FD. Returns only on failure.
Error DeliverByExec(const SecretBytes& key, const std::vector<std::string>& command);

}  // namespace portcullis::agent
