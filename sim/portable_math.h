// The exponential function and the logarithm from the four operations of IEEE 754 alone, so that what is
// computed with them is the same on every machine and with every maths library.
#ifndef NUMASIM_SIM_PORTABLE_MATH_H_
#define NUMASIM_SIM_PORTABLE_MATH_H_

namespace numasim::sim {

// exp(-x) for 0 <= x < 64: halved until the series is short, then squared as often.
constexpr double ExpOfMinus(double x) {
  constexpr int kHalvings = 10;
  const double y = -x / (1 << kHalvings);
  double sum = 1;
  for (int k = 12; k >= 1; --k) sum = 1 + sum * y / k;
  for (int i = 0; i < kHalvings; ++i) sum *= sum;
  return sum;
}

// -ln(y) for 2^-40 <= y <= 1 by Newton's method on exp, which comes nearer by up to 1 a step.
constexpr double MinusLog(double y) {
  double x = 0;
  for (int i = 0; i < 40; ++i) x += 1 - y / ExpOfMinus(x);
  return x;
}

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_PORTABLE_MATH_H_
