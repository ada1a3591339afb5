// The build keeps the compiler from fusing multiplications and additions here, which would change digits.
#include "workloads/generate/portable_math.h"

#include <cmath>
#include <cstddef>
#include <limits>

namespace numasim::workloads {
namespace {

// ln 2 in two parts: the first has 21 zeros at its end, so that its product with an exponent is exact.
constexpr double kLn2High = 0x1.62e42feep-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kSqrtHalf = 0.70710678118654752440;

// The polynomial c[0] + c[1] x + ... by Horner's rule.
template <size_t n>
double Polynomial(const double (&c)[n], double x) {
  double sum = c[n - 1];
  for (size_t i = n - 1; i > 0; --i) sum = sum * x + c[i - 1];
  return sum;
}

// Wichura's coefficients, for |p - 1/2| <= 0.425, for r = sqrt(-ln(min(p, 1 - p))) <= 5, and beyond.
constexpr double kCentreOver[] = {
    3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
    4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3};
constexpr double kCentreUnder[] = {1.0,
                                   4.2313330701600911252e+1,
                                   6.8718700749205790830e+2,
                                   5.3941960214247511077e+3,
                                   2.1213794301586595867e+4,
                                   3.9307895800092710610e+4,
                                   2.8729085735721942674e+4,
                                   5.2264952788528545610e+3};
constexpr double kSideOver[] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                5.76949722146069140550e0,  3.64784832476320460504e0,
                                1.27045825245236838258e0,  2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
constexpr double kSideUnder[] = {1.0,
                                 2.05319162663775882187e0,
                                 1.67638483018380384940e0,
                                 6.89767334985100004550e-1,
                                 1.48103976427480074590e-1,
                                 1.51986665636164571966e-2,
                                 5.47593808499534494600e-4,
                                 1.05075007164441684324e-9};
constexpr double kTailOver[] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                1.78482653991729133580e0,  2.96560571828504891230e-1,
                                2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                2.71155556874348757815e-5, 2.01033439929228813265e-7};
constexpr double kTailUnder[] = {1.0,
                                 5.99832206555887937690e-1,
                                 1.36929880922735805310e-1,
                                 1.48753612908506148525e-2,
                                 7.86869131145613259100e-4,
                                 1.84631831751005468180e-5,
                                 1.42151175831644588870e-7,
                                 2.04426310338993978564e-15};

}  // namespace

double PortableLog(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < kSqrtHalf) {
    m *= 2;
    --exponent;
  }
  // ln m = 2 artanh(s) = 2 (s + s^3/3 + s^5/5 + ..); s^2 is below 0.03, so that 12 terms are enough.
  const double s = (m - 1) / (m + 1);
  const double square = s * s;
  double sum = 0;
  for (int k = 25; k >= 1; k -= 2) sum = sum * square + 1.0 / k;
  return exponent * kLn2High + (exponent * kLn2Low + 2 * s * sum);
}

double PortableExp(double x) {
  if (x < -700) return 0;
  if (x > 709) return std::numeric_limits<double>::max();
  // e^x = 2^k e^r with |r| <= ln 2 / 2, of which 15 terms of the series are enough.
  const double k = std::floor(x / kLn2High + 0.5);
  const double r = (x - k * kLn2High) - k * kLn2Low;
  double sum = 1;
  for (int i = 15; i >= 1; --i) sum = 1 + sum * r / i;
  return std::ldexp(sum, static_cast<int>(k));
}

double PortablePower(double x, double y) { return PortableExp(y * PortableLog(x)); }

double NormalQuantile(double p) {
  const double q = p - 0.5;
  if (std::fabs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * Polynomial(kCentreOver, r) / Polynomial(kCentreUnder, r);
  }
  const double r = std::sqrt(-PortableLog(q < 0 ? p : 1 - p));
  const double z = r <= 5 ? Polynomial(kSideOver, r - 1.6) / Polynomial(kSideUnder, r - 1.6)
                          : Polynomial(kTailOver, r - 5) / Polynomial(kTailUnder, r - 5);
  return q < 0 ? -z : z;
}

double ExpMinusOneOver(double x) {
  if (std::fabs(x) > 0.5) return (PortableExp(x) - 1) / x;
  double sum = 1;
  for (int i = 16; i >= 2; --i) sum = 1 + sum * x / i;
  return sum;
}

double LogOnePlusOver(double x) {
  if (std::fabs(x) > 0.1) return PortableLog(1 + x) / x;
  double sum = 0;
  for (int i = 17; i >= 1; --i) sum = 1.0 / i - sum * x;
  return sum;
}

}  // namespace numasim::workloads
