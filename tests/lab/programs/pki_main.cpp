// portcullis-lab-pki DIR: makes the lab's throw-away keys and certificates.
#include <iostream>

#include "tests/lab/snp_lab.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: portcullis-lab-pki DIR\n";
    return 2;
  }
  const auto saved = portcullis::lab::LabPki::Generate().Save(argv[1]);
  if (saved) return 0;
  std::cerr << "portcullis-lab-pki: " << saved.error().ToString() << "\n";
  return 1;
}
