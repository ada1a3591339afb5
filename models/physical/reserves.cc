#include "models/physical/reserves.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace numasim {
namespace {

constexpr int64_t kPageKbytes = kPageSize / 1024;

// int_sqrt()
int64_t IntSqrt(int64_t x) {
  auto root = static_cast<int64_t>(std::sqrt(static_cast<double>(x)));
  while (root * root > x) --root;
  while ((root + 1) * (root + 1) <= x) ++root;
  return root;
}

// zone_batchsize()
int32_t PcpBatch(int64_t managed) {
  int64_t batch = std::min<int64_t>(managed >> 10, (int64_t{1} << 20) / kPageSize) / 4;
  batch = std::max<int64_t>(batch, 1);
  batch = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(batch + batch / 2))) - 1;
  return static_cast<int32_t>(std::max<int64_t>(batch, 1));  // zone_set_pageset_high_and_batch()
}

}  // namespace

Reserves::Reserves(std::vector<ZoneShape> zones, int cpus, const KernelConfig& kernel)
    : zones_(std::move(zones)),
      settings_(zones_.size()),
      cpus_(cpus),
      user_min_free_kbytes_(kernel.min_free_kbytes),
      watermark_scale_factor_(kernel.watermark_scale_factor),
      pcp_high_fraction_(kernel.pcp_high_fraction),
      reserve_ratio_(kernel.lowmem_reserve_ratio) {}

void Reserves::Boot() {
  if (user_min_free_kbytes_.has_value()) {
    min_free_kbytes_ = *user_min_free_kbytes_;
  } else {
    CalculateMinFree();
  }
  SetupLowmemReserve();
  SetupWatermarks();
}

void Reserves::Adopt(int64_t min_free_kbytes, std::vector<ZoneSettings> settings) {
  min_free_kbytes_ = min_free_kbytes;
  settings_ = std::move(settings);
}

void Reserves::ThpChanged(bool enabled) {
  if (!enabled) {
    CalculateMinFree();
  } else {
    int64_t zones = 0;
    for (const ZoneShape& zone : zones_) zones += zone.managed > 0 && zone.type != ZoneType::kMovable ? 1 : 0;
    // Two pageblocks a zone free, and room for each mobile type to fall back into each other.
    int64_t pages = kPageblockPages * zones * (2 + kPcpMigratetypes * kPcpMigratetypes);
    pages = std::min(pages, FreeBufferPages() / 20);
    min_free_kbytes_ = std::max(min_free_kbytes_, pages * kPageKbytes);
  }
  SetupWatermarks();
}

void Reserves::ManagedChanged(size_t zone, int64_t pages, bool thp) {
  zones_[zone].managed += pages;
  CalculateMinFree();
  SetupWatermarks();
  SetupLowmemReserve();
  if (thp) ThpChanged(true);  // khugepaged_min_free_kbytes_update()
}

void Reserves::SetMinFreeKbytes(int64_t kbytes) {
  user_min_free_kbytes_ = min_free_kbytes_ = kbytes;
  SetupWatermarks();
}

void Reserves::SetWatermarkScaleFactor(int factor) {
  watermark_scale_factor_ = factor;
  SetupWatermarks();
}

void Reserves::LowmemReserveRatioWritten() { SetupLowmemReserve(); }

void Reserves::SetPcpHighFraction(int fraction) {
  pcp_high_fraction_ = fraction;
  SetupPcp();
}

// nr_free_buffer_pages(): what user allocations may use above the high watermarks, ZONE_MOVABLE left out.
int64_t Reserves::FreeBufferPages() const {
  int64_t pages = 0;
  for (size_t i = 0; i < zones_.size(); ++i) {
    if (zones_[i].type == ZoneType::kMovable) continue;
    pages += std::max<int64_t>(0, zones_[i].managed - settings_[i].watermarks.high);
  }
  return pages;
}

// calculate_min_free_kbytes()
void Reserves::CalculateMinFree() {
  const int64_t computed = IntSqrt(FreeBufferPages() * kPageKbytes * 16);
  if (user_min_free_kbytes_.has_value() && computed <= *user_min_free_kbytes_) return;
  min_free_kbytes_ = std::clamp<int64_t>(computed, 128, 262144);
}

// __setup_per_zone_wmarks(), then zone_pcp_update() of each zone
void Reserves::SetupWatermarks() {
  const int64_t min_pages = min_free_kbytes_ / kPageKbytes;
  int64_t lowmem = 0;
  for (const ZoneShape& zone : zones_) lowmem += zone.managed;
  for (size_t i = 0; i < zones_.size(); ++i) {
    const int64_t managed = zones_[i].managed;
    const int64_t share =
        lowmem == 0 ? 0 : static_cast<int64_t>(static_cast<__int128>(min_pages) * managed / lowmem);
    const int64_t gap = std::max(share >> 2, managed / 10000 * watermark_scale_factor_ +
                                                 managed % 10000 * watermark_scale_factor_ / 10000);
    settings_[i].watermarks = {share, share + gap, share + 2 * gap};
  }
  SetupPcp();
}

// setup_per_zone_lowmem_reserve()
void Reserves::SetupLowmemReserve() {
  for (size_t i = 0; i < zones_.size(); ++i) {
    const int ratio = reserve_ratio_[zones_[i].type];
    settings_[i].lowmem_reserve = {};
    if (ratio == 0 || zones_[i].managed == 0) continue;
    int64_t above = 0;
    for (int type = static_cast<int>(zones_[i].type) + 1; type < kZoneTypes; ++type) {
      for (const ZoneShape& other : zones_) {
        if (other.node == zones_[i].node && static_cast<int>(other.type) == type) above += other.managed;
      }
      settings_[i].lowmem_reserve[type] = above / ratio;
    }
  }
}

// zone_highsize()
void Reserves::SetupPcp() {
  for (size_t i = 0; i < zones_.size(); ++i) {
    ZoneSettings& zone = settings_[i];
    zone.pcp_batch = PcpBatch(zones_[i].managed);
    const int64_t total =
        pcp_high_fraction_ == 0 ? zone.watermarks.low : zones_[i].managed / pcp_high_fraction_;
    const int sharers = zones_[i].node_cpus > 0 ? zones_[i].node_cpus : std::max(cpus_, 1);
    zone.pcp_high = static_cast<int32_t>(std::max<int64_t>(total / sharers, int64_t{zone.pcp_batch} * 4));
  }
}

}  // namespace numasim
