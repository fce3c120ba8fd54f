#include "interpose/function_code.h"

namespace green {

void FunctionCode::Classify(const Insn& insn) {
  uses_vector_ |= insn.uses_vector;
  // jmp *slot(%rip) is a tail call through the GOT: it has one fixed destination.
  if (insn.flow == Insn::kIndirectJump && !insn.rip_relative) has_computed_jump_ = true;
}

void FunctionCode::AddTarget(const uint8_t* p) {
  if (!bounds_.Contains(p) || !complete_) return;
  const size_t offset = static_cast<size_t>(p - bounds_.start);
  targets_[offset / 64] |= uint64_t{1} << (offset % 64);
}

void FunctionCode::Load(const CodeObject& object, const FunctionBounds& bounds) {
  object_ = &object;
  bounds_ = bounds;
  followed_split_parts_ = false;
  size_ = 0;
  has_computed_jump_ = has_switch_ = uses_vector_ = false;
  const size_t bytes = static_cast<size_t>(bounds.end - bounds.start);
  complete_ = bytes <= kMaxBytes;
  const size_t words = complete_ ? (bytes + 63) / 64 : 0;
  for (size_t n = 0; n < words; ++n) targets_[n] = 0;

  for (const uint8_t* p = bounds.start; p < bounds.end;) {
    const Insn insn = Decode(p, bounds.end);
    if (!insn.length || size_ == kMaxSteps) {
      complete_ = false;
      break;
    }
    steps_[size_++] = {p, insn};
    if (insn.flow == Insn::kIndirectJump && IsSwitch(size_ - 1))
      has_switch_ = true;
    else
      Classify(insn);
    if (insn.target) AddTarget(insn.target);
    p += insn.length;
  }
  if (has_switch_) ReadSwitchTables();
}

// gcc's and clang's position-independent switch: movslq (B,I,4),A; add B,A; jmp *A.
bool FunctionCode::IsSwitch(int jump) const {
  if (jump < 2) return false;
  const Insn& j = steps_[jump].insn;
  const Insn& add = steps_[jump - 1].insn;
  const Insn& load = steps_[jump - 2].insn;
  if (j.Mod() != 3 || add.map != Insn::kOneByte || add.opcode != 0x01 || add.Mod() != 3 ||
      !(add.rex & 8) || add.Rm() != j.Rm())
    return false;
  if (load.map != Insn::kOneByte || load.opcode != 0x63 || !(load.rex & 8) ||
      (load.modrm & 7) != 4 || load.Reg() != j.Rm() || load.Mod() > 1 ||
      load.length != 4 + load.Mod())
    return false;
  const uint8_t* const end = steps_[jump - 2].End();
  const uint8_t sib = load.Mod() == 0 ? end[-1] : end[-2];
  const int base = (sib & 7) | ((load.rex & 1) << 3);
  const bool plain = load.Mod() == 0 || end[-1] == 0;
  return plain && sib >> 6 == 2 && base == add.Reg();
}

// Which lea loaded the table's address may be far from the jump: each constant whose address the
// function takes is read as if it were a table. Too many targets are safe.
void FunctionCode::ReadSwitchTables() {
  bool any = false;
  for (int n = 0; n < size_; ++n) {
    const Insn& insn = steps_[n].insn;
    if (insn.opcode != 0x8d || insn.map != Insn::kOneByte || !insn.rip_relative) continue;
    const CodeObject::Segment* constants = object_->ConstantsAt(insn.target);
    if (!constants) continue;
    any = true;
    ReadSwitchTable(insn.target, *constants);
  }
  if (!any) has_computed_jump_ = true;
}

// A table has no mark at its end; it is over at the latest where an entry leads to no code.
void FunctionCode::ReadSwitchTable(const uint8_t* table, const CodeObject::Segment& constants) {
  for (const uint8_t* p = table; constants.end - p >= 4; p += 4) {
    int32_t offset;
    __builtin_memcpy(&offset, p, sizeof offset);
    if (!object_->CodeAt(table + offset)) return;
    AddTarget(table + offset);
  }
}

// The compiler may have moved unlikely parts elsewhere. A conditional jump out of the function, or
// any jump to where no function begins, leads to such a part; what that part does counts as ours.
void FunctionCode::FollowSplitParts() {
  if (followed_split_parts_) return;
  followed_split_parts_ = true;
  FunctionBounds last;
  for (int n = 0; n < size_; ++n) {
    const Insn& insn = steps_[n].insn;
    const bool jump = insn.flow == Insn::kJump || insn.flow == Insn::kCondJump;
    if (!jump || bounds_.Contains(insn.target) || last.Contains(insn.target)) continue;
    FunctionBounds part;
    if (!FindFunction(object_->index, insn.target, &part)) {
      if (insn.flow == Insn::kJump) continue;  // the PLT: a tail call
      complete_ = false;
      return;
    }
    if (insn.flow == Insn::kJump && insn.target == part.start) continue;  // a tail call
    LoadSummaryOf(part);
    last = part;
  }
}

void FunctionCode::LoadSummaryOf(const FunctionBounds& part) {
  for (const uint8_t* p = part.start; p < part.end;) {
    const Insn insn = Decode(p, part.end);
    if (!insn.length) {
      complete_ = false;
      return;
    }
    Classify(insn);
    p += insn.length;
  }
}

int FunctionCode::Find(const uint8_t* p) const {
  int low = 0, high = size_;
  while (low < high) {
    const int middle = low + (high - low) / 2;
    if (steps_[middle].at < p)
      low = middle + 1;
    else
      high = middle;
  }
  return low < size_ && steps_[low].at == p ? low : -1;
}

bool FunctionCode::IsBranchTarget(const uint8_t* p) const {
  const size_t offset = static_cast<size_t>(p - bounds_.start);
  if (offset >= kMaxBytes) return true;
  return targets_[offset / 64] >> (offset % 64) & 1;
}

}  // namespace green
