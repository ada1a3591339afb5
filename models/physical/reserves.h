// Reserves: how much memory each zone keeps free and each CPU may hoard, computed from the sizes of all zones
// and a few knobs (min_free_kbytes, watermarks, lowmem reserve, PCP high and batch; Linux 6.1). Lives on the
// global LP; the results are sent to the zones.
#ifndef NUMASIM_MODELS_PHYSICAL_RESERVES_H_
#define NUMASIM_MODELS_PHYSICAL_RESERVES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "models/base/kernel_config.h"
#include "models/base/types.h"
#include "models/physical/zone.h"

namespace numasim {

class Reserves {
 public:
  struct ZoneShape {
    NodeId node;
    ZoneType type;
    int64_t managed = 0;  // pages
    int node_cpus = 1;    // CPUs of the zone's node
  };
  struct ZoneSettings {
    Watermarks watermarks;
    PerZoneType<int64_t> lowmem_reserve = {};
    int32_t pcp_high = 0;
    int32_t pcp_batch = 1;
  };

  // `cpus` is the number of CPUs of the machine.
  Reserves(std::vector<ZoneShape> zones, int cpus, const KernelConfig& kernel);

  // As after boot: min_free_kbytes from the size of memory (calculate_min_free_kbytes).
  void Boot();
  // Takes over what a running kernel had. `settings` by zone, in the order of the constructor.
  void Adopt(int64_t min_free_kbytes, std::vector<ZoneSettings> settings);

  // What switching THP does: on, at least what grouping by mobility needs; off, back to the computed value
  // (set_recommended_min_free_kbytes).
  void ThpChanged(bool enabled);
  // Memory of a zone came (or went, where `pages` is negative): what init_per_zone_wmark_min() does, with
  // khugepaged's part where `thp` is enabled. `zone` is its position in zones().
  void ManagedChanged(size_t zone, int64_t pages, bool thp);
  // sysctls
  void SetMinFreeKbytes(int64_t kbytes);
  void SetWatermarkScaleFactor(int factor);
  void SetPcpHighFraction(int fraction);
  void LowmemReserveRatioWritten();  // the ratios of the constructor's KernelConfig, over what Adopt() took

  int64_t min_free_kbytes() const { return min_free_kbytes_; }
  const std::vector<ZoneShape>& zones() const { return zones_; }
  const std::vector<ZoneSettings>& settings() const { return settings_; }

 private:
  int64_t FreeBufferPages() const;
  void CalculateMinFree();
  void SetupWatermarks();
  void SetupLowmemReserve();
  void SetupPcp();

  std::vector<ZoneShape> zones_;
  std::vector<ZoneSettings> settings_;
  int cpus_;
  int64_t min_free_kbytes_ = 0;
  std::optional<int64_t> user_min_free_kbytes_;
  int watermark_scale_factor_;
  int pcp_high_fraction_;
  PerZoneType<int32_t> reserve_ratio_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_RESERVES_H_
