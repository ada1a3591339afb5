// Logarithms, powers and the normal distribution's quantiles, to some 15 digits, from the four operations of
// IEEE 754 alone. Two C libraries, or one on two CPUs, may differ in the last digit of log(): a workload that
// is drawn at random must not.
//
// Plain functions without state.
#ifndef NUMASIM_WORKLOADS_GENERATE_PORTABLE_MATH_H_
#define NUMASIM_WORKLOADS_GENERATE_PORTABLE_MATH_H_

namespace numasim::workloads {

// x > 0, finite and not denormal.
double PortableLog(double x);

// 0 below e^-700 and the greatest finite number above e^709.
double PortableExp(double x);

// x^y of x > 0; limits as PortableExp.
double PortablePower(double x, double y);

// The value that a standard normal variable does not exceed with probability p, 0 < p < 1: algorithm AS 241
// (PPND16) of M. J. Wichura, The Percentage Points of the Normal Distribution, Applied Statistics 37, 1988.
double NormalQuantile(double p);

// (e^x - 1) / x and log(1 + x) / x, both 1 at 0, without the loss of digits near there. The second of x > -1.
double ExpMinusOneOver(double x);
double LogOnePlusOver(double x);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_PORTABLE_MATH_H_
