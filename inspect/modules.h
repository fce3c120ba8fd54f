// The ELF images in a process: where each lies, its unwind table, its symbols.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "inspect/maps.h"
#include "inspect/memory.h"

namespace green::inspect {

struct Symbol {
  uint64_t address, size;  // as the file counts
  std::string name;
};

// Functions of an ELF file, ascending; from .symtab, or .dynsym where there is no other. Of a
// stripped file, from its debug file under /usr/lib/debug/.build-id if that is there.
std::vector<Symbol> ReadSymbols(const std::string& path);

struct Module {
  uint64_t begin, end;
  uint64_t bias;               // address in the process minus address in the file
  std::string name, path;      // base name, printable; path to open
  uint64_t unwind_header = 0;  // address of .eh_frame_hdr; 0: none
  uint64_t unwind_table = 0, unwind_entries = 0;
  bool symbols_read = false;
  std::vector<Symbol> symbols;
};

class Modules {
 public:
  Modules(pid_t pid, const Memory& memory, const std::vector<Mapping>& maps);
  Module* Find(uint64_t address);  // null: in none
  // "function", "module+0x123" or "0x123"; of the instruction that holds the address.
  const std::string& Name(uint64_t address);

 private:
  std::string MakeName(uint64_t address);
  std::vector<std::unique_ptr<Module>> modules_;  // ascending by begin
  std::map<uint64_t, std::string> names_;
};

}  // namespace green::inspect
