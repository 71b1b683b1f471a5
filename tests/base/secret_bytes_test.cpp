#include "base/secret_bytes.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <concepts>
#include <fstream>
#include <optional>
#include <ostream>
#include <string>

namespace portcullis {
namespace {

constexpr std::string_view kSecret = "a key of thirty-two bytes, really";

const std::byte* AddressOf(const SecretBytes& secret) {
  return secret.Expose([](Bytes bytes) { return bytes.data(); });
}
std::string TextOf(const SecretBytes& secret) {
  return secret.Expose([](Bytes bytes) { return ToText(bytes); });
}

/// Runs `body` in a child; its exit code, or 128 + the signal that ended it.
template <typename Body>
int InChild(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// VmFlags of the mapping at an address, from /proc/self/smaps.
std::string MappingFlags(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) inside = wanted >= begin && wanted < end;
    if (inside && line.starts_with("VmFlags:")) return line + " ";
  }
  return "";
}

template <typename T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};

TEST(SecretBytes, MovesAndNeverCopiesComparesOrPrints) {
  static_assert(!std::copy_constructible<SecretBytes>);
  static_assert(!std::is_copy_assignable_v<SecretBytes>);
  static_assert(!std::equality_comparable<SecretBytes>);
  static_assert(!Streamable<SecretBytes>);

  SecretBytes first = SecretBytes::CopyOf(AsBytes(kSecret));
  SecretBytes second = std::move(first);
  EXPECT_EQ(TextOf(second), kSecret);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): what is left is the claim
  SecretBytes third(5);
  third = std::move(second);
  EXPECT_EQ(TextOf(third), kSecret);
  EXPECT_EQ(third.size(), kSecret.size());
}

TEST(SecretBytes, StartAsZeroAndAreFilledInPlace) {
  SecretBytes secret(4);
  EXPECT_EQ(TextOf(secret), std::string(4, '\0'));
  secret.ExposeMutable([](std::span<std::byte> bytes) { bytes[1] = std::byte{'x'}; });
  EXPECT_EQ(TextOf(secret), std::string("\0x\0\0", 4));
  EXPECT_TRUE(SecretBytes().empty());
  EXPECT_TRUE(SecretBytes(0).empty());
}

TEST(SecretBytes, TakeFromWipesTheSource) {
  std::string source(kSecret);
  const SecretBytes secret = SecretBytes::TakeFrom(std::as_writable_bytes(std::span(source)));
  EXPECT_EQ(TextOf(secret), kSecret);
  EXPECT_EQ(source, std::string(kSecret.size(), '\0'));

  const std::string kept(kSecret);
  EXPECT_EQ(TextOf(SecretBytes::CopyOf(AsBytes(kept))), kSecret);
  EXPECT_EQ(kept, kSecret);
}

TEST(SecretBytes, ShrinkKeepsTheStartAndGivesTheRestUp) {
  SecretBytes secret = SecretBytes::CopyOf(AsBytes(kSecret));
  secret.ShrinkTo(100);
  EXPECT_EQ(TextOf(secret), kSecret);
  secret.ShrinkTo(5);
  EXPECT_EQ(TextOf(secret), kSecret.substr(0, 5));
  secret.ShrinkTo(0);
  EXPECT_TRUE(secret.empty());
}

/// The byte at an address, read by the kernel, which says where nothing is mapped instead of ending the
/// process.
std::optional<char> ByteAt(const std::byte* address) {
  int ends[2];
  char byte = 0;
  if (pipe(ends) != 0) return std::nullopt;
  const bool is_read = write(ends[1], address, 1) == 1 && read(ends[0], &byte, 1) == 1;
  close(ends[0]);
  close(ends[1]);
  return is_read ? std::optional(byte) : std::nullopt;
}

TEST(SecretBytes, LeaveNoMemoryBehind) {
  const auto byte_after = [](auto give_up) {
    SecretBytes secret = SecretBytes::CopyOf(AsBytes(kSecret));
    const std::byte* old = AddressOf(secret);
    give_up(secret);
    return ByteAt(old);
  };
  // ShrinkTo maps the new secret before it gives up the old one, so the old address is not taken again at
  // once.
  EXPECT_EQ(byte_after([](SecretBytes&) {}), kSecret.front());
  EXPECT_NE(byte_after([](SecretBytes& secret) { secret.ShrinkTo(1); }), kSecret.front());
  EXPECT_NE(byte_after([](SecretBytes& secret) { secret = SecretBytes(); }), kSecret.front());
  EXPECT_NE(byte_after([](SecretBytes& secret) { SecretBytes gone = std::move(secret); }), kSecret.front());
}

TEST(SecretBytes, AreLeftOutOfDumpsAndOfChildren) {
  const SecretBytes secret = SecretBytes::CopyOf(AsBytes(kSecret));
  const std::string flags = MappingFlags(AddressOf(secret));
  EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;  // MADV_DONTDUMP
  EXPECT_NE(flags.find(" wf "), std::string::npos) << flags;  // MADV_WIPEONFORK
  EXPECT_EQ(InChild([&] { return secret.Expose([](Bytes bytes) { return static_cast<int>(bytes[0]); }); }),
            0);
  EXPECT_EQ(TextOf(secret), kSecret);
}

TEST(Wipe, OverwritesEveryByte) {
  std::string text(1000, 'x');
  Wipe(std::as_writable_bytes(std::span(text)).subspan(1, 998));
  EXPECT_EQ(text, "x" + std::string(998, '\0') + "x");
  Wipe({});
}

TEST(HardenProcess, ForbidsDumpsTracingAndNewPrivileges) {
  EXPECT_EQ(InChild([] {
              const bool done = HardenProcess().has_value();
              rlimit core{1, 1};
              getrlimit(RLIMIT_CORE, &core);
              return done && core.rlim_max == 0 && prctl(PR_GET_DUMPABLE) == 0 &&
                             prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
                         ? 0
                         : 1;
            }),
            0);
}

}  // namespace
}  // namespace portcullis
