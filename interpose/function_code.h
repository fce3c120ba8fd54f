// One function's instructions, decoded in order, and every place in it that its own branches go to.
#pragma once

#include <cstddef>
#include <cstdint>

#include "interpose/code_object.h"
#include "interpose/insn.h"

namespace green {

struct Step {
  const uint8_t* at;
  Insn insn;
  const uint8_t* End() const { return at + insn.length; }
  // Compiled code goes on behind it. A call counts: noreturn callees end basic blocks all the same.
  bool FallsThrough() const {
    return insn.flow != Insn::kJump && insn.flow != Insn::kIndirectJump &&
           insn.flow != Insn::kReturn && insn.flow != Insn::kTrap;
  }
};

// Large (it is meant to be mapped, not to lie on a stack), reused from function to function.
class FunctionCode {
 public:
  // Decodes all of bounds. What stands behind an instruction that cannot be decoded is left out.
  void Load(const CodeObject& object, const FunctionBounds& bounds);

  // Adds what the parts do that the compiler split off. Until then has_computed_jump and
  // uses_vector tell of this part only.
  void FollowSplitParts();

  // Index of the instruction that starts at p, -1 if none does.
  int Find(const uint8_t* p) const;
  const Step& operator[](int n) const { return steps_[n]; }
  int size() const { return size_; }
  const FunctionBounds& bounds() const { return bounds_; }

  // True if a direct branch or a switch table of this function goes to p, or it takes p's address.
  bool IsBranchTarget(const uint8_t* p) const;
  // Every instruction was decoded, so IsBranchTarget knows of every direct branch in here.
  bool complete() const { return complete_; }
  // A jump that may go anywhere in the function: computed goto, or no known form of switch.
  bool has_computed_jump() const { return has_computed_jump_; }
  // Some instruction uses vector or x87 registers, or not every instruction could be seen.
  bool uses_vector() const { return uses_vector_ || !complete_; }

 private:
  static constexpr int kMaxSteps = 1 << 15;
  static constexpr size_t kMaxBytes = 1 << 18;

  void AddTarget(const uint8_t* p);
  void Classify(const Insn& insn);
  void ReadSwitchTables();
  bool IsSwitch(int jump) const;
  void ReadSwitchTable(const uint8_t* table, const CodeObject::Segment& constants);
  void LoadSummaryOf(const FunctionBounds& part);

  const CodeObject* object_;
  bool followed_split_parts_;
  FunctionBounds bounds_;
  int size_ = 0;
  bool complete_ = false;
  bool has_computed_jump_ = false;
  bool has_switch_ = false;
  bool uses_vector_ = false;
  uint64_t targets_[kMaxBytes / 64];  // one bit per byte of the function
  Step steps_[kMaxSteps];
};

}  // namespace green
