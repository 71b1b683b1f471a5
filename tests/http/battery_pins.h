#pragma once

#include <optional>
#include <string_view>

namespace portcullis::http::test {

inline constexpr int kEither = -1;

/// The status with which each case of the battery is answered, where the battery leaves a choice and where it
/// does not; 0 where there is no answer. A change here is a change of behaviour.
struct Pin {
  std::string_view first, last;
  int status;
};
inline constexpr Pin kPins[] = {
    {"H001", "H001", 200},     {"H002", "H003", 501},  // unknown method
    {"H004", "H005", 400},     {"H006", "H006", 501},
    {"H007", "H009", 405},  // known and not served
    {"H010", "H027", 400},     {"H028", "H028", 431},
    {"H029", "H029", 400},     {"H030", "H032", 505},  // HTTP/1.1 only
    {"H033", "H065", 400},     {"H066", "H066", 200},
    {"H067", "H071", 431},     {"H072", "H072", 400},
    {"H073", "H076", 200},     {"H077", "H094", 400},
    {"H095", "H095", 411},  // no length that counts
    {"H096", "H098", 400},     {"H099", "H104", 413},
    {"H105", "H105", 411},     {"H106", "H107", 400},
    {"H108", "H108", 408},  // the whole request has one deadline
    {"H109", "H109", 0},    // reset by the client
    {"H110", "H110", 411},  // chunked is refused as policy
    {"H111", "H113", 400},     {"H114", "H117", 411},
    {"H118", "H118", 400},     {"H119", "H122", 411},
    {"H123", "H123", 400},     {"H124", "H124", 411},
    {"H125", "H127", 400},     {"H128", "H128", 411},
    {"H129", "H129", 400},     {"H130", "H131", 411},
    {"H132", "H132", 505},     {"H133", "H163", 411},
    {"H164", "H166", 200},     {"H167", "H167", 400},
    {"H168", "H168", 200},     {"H169", "H169", 413},
    {"H170", "H170", 417},     {"H171", "H172", 200},
    {"H173", "H173", 505},     {"H174", "H176", 400},
    {"H177", "H177", 408},  // no head within the deadline
    {"H178", "H178", 400},     {"H179", "H180", 200},
    {"H181", "H181", kEither},  // as much as the kernel had taken before the write timeout
    {"H182", "H182", 0},        // closed without a word
    {"H183", "H184", 408},     {"H185", "H185", 200},
    {"H246", "H248", 415},
};

inline std::optional<int> PinnedStatus(std::string_view id) {
  for (const Pin& pin : kPins)
    if (pin.first <= id && id <= pin.last) return pin.status;
  return std::nullopt;
}

}  // namespace portcullis::http::test
