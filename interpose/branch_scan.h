// The last part of the proof: no other function's code branches into displaced bytes.
#pragma once

namespace green {

struct CodeObject;
struct SiteScan;

// Marks sites of scan as unpatchable whose guarded range some direct branch outside their function
// might enter. Every byte of the object's code counts as a possible branch, so that no decoding is
// needed; bytes that look like a branch by chance only cost a site, not correctness.
void RejectEnteredFromOutside(const CodeObject& object, SiteScan* scan);

}  // namespace green
