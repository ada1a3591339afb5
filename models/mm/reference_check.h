// The part of the Validator that looks at who uses memory: processes with their page tables, and shared
// files. Read only while nothing runs.
#ifndef NUMASIM_MODELS_MM_REFERENCE_CHECK_H_
#define NUMASIM_MODELS_MM_REFERENCE_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "models/address_space/anon_vmas.h"
#include "models/address_space/process.h"
#include "models/base/folio.h"
#include "models/base/problem_list.h"
#include "models/base/types.h"
#include "models/page_cache/shmem.h"
#include "models/physical/frame_store.h"
#include "models/physical/memory_system.h"

namespace numasim {

// One claim to a page: of a page table entry to an anonymous page, of a file to its page, of a page table to
// its own.
struct PageReference {
  Folio page;
  FrameOwner::Kind kind;
  bool writable;
  int32_t object;       // position in the processes; kShmem, kFile: the file
  uint64_t index;       // kAnon: the virtual page; kShmem, kFile: the offset in the file
  bool by_pmd = false;  // of a PMD to a huge page of a file, which is counted beside the page cache's
};

// Both ordered by page.
struct PageReferences {
  std::vector<PageReference> claims;
  std::vector<Folio> pins;  // one for each reference
};

// Checks the address spaces and files in themselves and gathers what they refer to.
PageReferences GatherReferences(const std::vector<const Process*>& processes, const ShmemFiles& files,
                                ProblemList& problems);

// Compares the pages of one zone after the other with the references to them.
class ReferenceCheck {
 public:
  ReferenceCheck(const MemorySystem& memory, const std::vector<const Process*>& processes,
                 const AnonVmas& anon_vmas, const PageReferences& references, ProblemList& problems)
      : memory_(memory),
        anon_vmas_(anon_vmas),
        processes_(processes),
        references_(references.claims),
        pins_(references.pins),
        problems_(problems) {}

  // References to pages that no zone has.
  void CheckOutside();

  // Between these two, Allocated() is called for each allocated block of the zone, from the lowest address
  // up.
  void BeginZone(const Zone& zone);
  void Allocated(Pfn pfn, int order, const FrameOwner& owner);
  void EndZone();

 private:
  using Iterator = std::vector<PageReference>::const_iterator;

  std::string Describe(const PageReference& reference) const;
  void ReportStray(Pfn before);
  void CheckClaims(Folio page, const FrameOwner& owner, Iterator begin, Iterator end);
  void CheckThp(Folio page, const FrameOwner& owner, Iterator begin, Iterator end);
  void CheckFamily(const PageReference& claim, const FrameOwner& owner);
  void CheckHolds(Folio page);
  void CheckBootUser(Pfn pfn, const FrameOwner& owner, Iterator begin, Iterator end);
  void CheckAnon(Pfn pfn, const FrameOwner& owner, Iterator begin, Iterator end);
  void CheckSingle(Pfn pfn, const FrameOwner& owner, Iterator begin, Iterator end);

  const MemorySystem& memory_;
  const AnonVmas& anon_vmas_;
  const std::vector<const Process*>& processes_;
  const std::vector<PageReference>& references_;
  const std::vector<Folio>& pins_;
  ProblemList& problems_;
  const Zone* zone_ = nullptr;
  std::string name_;  // the zone's
  Iterator next_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_MM_REFERENCE_CHECK_H_
