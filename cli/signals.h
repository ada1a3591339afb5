// What the program does about signals. They come from outside to the whole process, so what a handler notes
// is global; nothing else is.
#ifndef NUMASIM_CLI_SIGNALS_H_
#define NUMASIM_CLI_SIGNALS_H_

#include <csignal>

namespace numasim {

// At the start of the program. A write beyond the limit of a file's size (ulimit -f) then fails with EFBIG
// instead of killing the process. Standard streams that are closed stay in use as streams that cannot be read
// or written, so that no file that is opened later takes their place.
void PrepareProcess();

// While it lives, SIGINT, SIGTERM and SIGHUP are noted; a second one kills as ever. Signals that were ignored
// stay so (nohup). Writing to a pipe that nobody reads is an error, no signal. One at a time.
class EndSignals {
 public:
  EndSignals();
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  ~EndSignals();

  // 0: none was noted.
  static int Noted();
  // "SIGINT".
  static const char* Name(int signal);

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
  static constexpr const char* kNames[] = {"SIGINT", "SIGTERM", "SIGHUP"};

  struct sigaction before_[4] = {};
};

}  // namespace numasim

#endif  // NUMASIM_CLI_SIGNALS_H_
