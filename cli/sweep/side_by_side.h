// Work that several threads of TBB share. Apart from who uses it because it is built without ThreadSanitizer:
// TBB orders what it hands over in its own library, which the sanitizer cannot see.
#ifndef NUMASIM_CLI_SWEEP_SIDE_BY_SIDE_H_
#define NUMASIM_CLI_SWEEP_SIDE_BY_SIDE_H_

namespace numasim {

// Has work(context) called `threads` times, by this thread and as many others of TBB as it has free, and
// returns when all calls have returned. `work` begins and ends with a lock of a mutex that the caller, too,
// has held before and takes afterwards: that orders what they share.
void RunSideBySide(int threads, void (*work)(void* context), void* context);

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SIDE_BY_SIDE_H_
