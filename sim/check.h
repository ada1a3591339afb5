// Checks of what the program itself must keep true. A failed check prints the condition, both operands and
// the place, and aborts, in release builds as well. Wrong input from a user is no matter for a check: that is
// an absl::Status.
#ifndef NUMASIM_SIM_CHECK_H_
#define NUMASIM_SIM_CHECK_H_

#include <sstream>
#include <string>

namespace numasim::sim::internal {

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, const std::string& operands);

template <class A, class B>
[[noreturn, gnu::noinline, gnu::cold]] void CheckOpFailed(const char* file, int line, const char* condition,
                                                          const A& a, const B& b) {
  std::ostringstream operands;
  operands << a << " against " << b;
  CheckFailed(file, line, condition, operands.str());
}

}  // namespace numasim::sim::internal

#define NUMASIM_CHECK(condition)                                                            \
  do {                                                                                      \
    if (!(condition)) [[unlikely]]                                                          \
      ::numasim::sim::internal::CheckFailed(__FILE__, __LINE__, #condition, std::string()); \
  } while (false)

#define NUMASIM_CHECK_OP_(op, a, b)                                                                         \
  do {                                                                                                      \
    const auto& numasim_a = (a);                                                                            \
    const auto& numasim_b = (b);                                                                            \
    if (!(numasim_a op numasim_b)) [[unlikely]]                                                             \
      ::numasim::sim::internal::CheckOpFailed(__FILE__, __LINE__, #a " " #op " " #b, numasim_a, numasim_b); \
  } while (false)

#define NUMASIM_CHECK_EQ(a, b) NUMASIM_CHECK_OP_(==, a, b)
#define NUMASIM_CHECK_NE(a, b) NUMASIM_CHECK_OP_(!=, a, b)
#define NUMASIM_CHECK_LE(a, b) NUMASIM_CHECK_OP_(<=, a, b)
#define NUMASIM_CHECK_LT(a, b) NUMASIM_CHECK_OP_(<, a, b)
#define NUMASIM_CHECK_GE(a, b) NUMASIM_CHECK_OP_(>=, a, b)
#define NUMASIM_CHECK_GT(a, b) NUMASIM_CHECK_OP_(>, a, b)

// The same where the cost of the check would show in a release build.
#ifdef NDEBUG
#define NUMASIM_DCHECK_SKIP_(expression) \
  do {                                   \
    if (false) expression;               \
  } while (false)
#define NUMASIM_DCHECK(condition) NUMASIM_DCHECK_SKIP_((void)(condition))
#define NUMASIM_DCHECK_EQ(a, b) NUMASIM_DCHECK_SKIP_((void)((a) == (b)))
#define NUMASIM_DCHECK_NE(a, b) NUMASIM_DCHECK_SKIP_((void)((a) != (b)))
#define NUMASIM_DCHECK_LE(a, b) NUMASIM_DCHECK_SKIP_((void)((a) <= (b)))
#define NUMASIM_DCHECK_LT(a, b) NUMASIM_DCHECK_SKIP_((void)((a) < (b)))
#define NUMASIM_DCHECK_GE(a, b) NUMASIM_DCHECK_SKIP_((void)((a) >= (b)))
#define NUMASIM_DCHECK_GT(a, b) NUMASIM_DCHECK_SKIP_((void)((a) > (b)))
#else
#define NUMASIM_DCHECK(condition) NUMASIM_CHECK(condition)
#define NUMASIM_DCHECK_EQ(a, b) NUMASIM_CHECK_EQ(a, b)
#define NUMASIM_DCHECK_NE(a, b) NUMASIM_CHECK_NE(a, b)
#define NUMASIM_DCHECK_LE(a, b) NUMASIM_CHECK_LE(a, b)
#define NUMASIM_DCHECK_LT(a, b) NUMASIM_CHECK_LT(a, b)
#define NUMASIM_DCHECK_GE(a, b) NUMASIM_CHECK_GE(a, b)
#define NUMASIM_DCHECK_GT(a, b) NUMASIM_CHECK_GT(a, b)
#endif

#endif  // NUMASIM_SIM_CHECK_H_
