// Simulated time: whole nanoseconds in 64 bits, 292 years. A SimTime is a point since the start of the run, a
// Duration the distance between two points; mixing them does not compile.
#ifndef NUMASIM_SIM_TIME_H_
#define NUMASIM_SIM_TIME_H_

#include <compare>
#include <cstdint>
#include <limits>
#include <ostream>
#include <string>

namespace numasim::sim {

struct Duration {
  int64_t ns = 0;
  friend constexpr auto operator<=>(Duration, Duration) = default;
  constexpr Duration& operator+=(Duration d) {
    ns += d.ns;
    return *this;
  }
  constexpr Duration& operator-=(Duration d) {
    ns -= d.ns;
    return *this;
  }
};

struct SimTime {
  int64_t ns = 0;
  friend constexpr auto operator<=>(SimTime, SimTime) = default;
  constexpr SimTime& operator+=(Duration d) {
    ns += d.ns;
    return *this;
  }
};

constexpr Duration operator+(Duration a, Duration b) { return {a.ns + b.ns}; }
constexpr Duration operator-(Duration a, Duration b) { return {a.ns - b.ns}; }
constexpr Duration operator*(Duration d, int64_t n) { return {d.ns * n}; }
constexpr Duration operator*(int64_t n, Duration d) { return {d.ns * n}; }
constexpr Duration operator/(Duration d, int64_t n) { return {d.ns / n}; }
constexpr int64_t operator/(Duration a, Duration b) { return a.ns / b.ns; }
constexpr SimTime operator+(SimTime t, Duration d) { return {t.ns + d.ns}; }
constexpr SimTime operator+(Duration d, SimTime t) { return {t.ns + d.ns}; }
constexpr SimTime operator-(SimTime t, Duration d) { return {t.ns - d.ns}; }
constexpr Duration operator-(SimTime a, SimTime b) { return {a.ns - b.ns}; }

constexpr Duration Nanoseconds(int64_t n) { return {n}; }
constexpr Duration Microseconds(int64_t n) { return {n * 1'000}; }
constexpr Duration Milliseconds(int64_t n) { return {n * 1'000'000}; }
constexpr Duration Seconds(int64_t n) { return {n * 1'000'000'000}; }

// Later than any event.
inline constexpr SimTime kNever{std::numeric_limits<int64_t>::max()};

// `d` after `t`, d >= 0; kNever where simulated time ends before.
constexpr SimTime Later(SimTime t, Duration d) { return d < kNever - t ? t + d : kNever; }

// Exact, in the units that fit: "1h2m3.5s", "1.5ms", "7ns".
std::string ToString(Duration d);
std::string ToString(SimTime t);  // kNever reads "never"

std::ostream& operator<<(std::ostream& out, Duration d);
std::ostream& operator<<(std::ostream& out, SimTime t);

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_TIME_H_
