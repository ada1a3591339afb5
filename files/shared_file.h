// A file without a name that parent and child share: unlike a pipe it takes any amount while nobody reads.
#ifndef NUMASIM_FILES_SHARED_FILE_H_
#define NUMASIM_FILES_SHARED_FILE_H_

#include <string>

namespace numasim {

class SharedFile {
 public:
  SharedFile();
  ~SharedFile();
  SharedFile(const SharedFile&) = delete;
  SharedFile& operator=(const SharedFile&) = delete;

  // Closed by exec; negative, with errno, if the host gives no file.
  int descriptor() const { return descriptor_; }

  bool Write(const std::string& text) const;
  // From its beginning, wherever a writer is.
  std::string Read() const;

 private:
  const int descriptor_;
};

}  // namespace numasim

#endif  // NUMASIM_FILES_SHARED_FILE_H_
