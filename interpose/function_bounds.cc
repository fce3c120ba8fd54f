#include "interpose/function_bounds.h"

namespace green {
namespace {

// Pointer encodings of the LSB's "DWARF extensions": a format and what the value is relative to.
enum : uint8_t {
  kUleb = 0x01,
  kU2 = 0x02,
  kU4 = 0x03,
  kU8 = 0x04,
  kSleb = 0x09,
  kS2 = 0x0a,
  kS4 = 0x0b,
  kS8 = 0x0c,
  kFormatMask = 0x0f,
  kPcRelative = 0x10,
  kBaseMask = 0x70,
  kOmit = 0xff,
};
constexpr uint8_t kDataRelativeS4 = 0x3b;
constexpr int kTail = 16;  // code behind an FDE's end that still counts as the function's

template <typename T>
T Load(const uint8_t* p) {
  T v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

struct Cursor {
  const uint8_t* p;
  bool ok = true;

  uint64_t Uleb() {
    uint64_t v = 0;
    for (int shift = 0;; shift += 7) {
      const uint8_t b = *p++;
      if (shift < 64) v |= uint64_t{b & 0x7fu} << shift;
      if (!(b & 0x80)) return v;
    }
  }
  void SkipLeb() {
    while (*p++ & 0x80) {
    }
  }
  // The value as stored: offsets and lengths have no base.
  int64_t Raw(uint8_t encoding) {
    int64_t v = 0;
    switch (encoding & kFormatMask) {
      case 0:
      case kU8:
      case kS8:
        v = Load<int64_t>(p);
        p += 8;
        break;
      case kU4:
        v = Load<uint32_t>(p);
        p += 4;
        break;
      case kS4:
        v = Load<int32_t>(p);
        p += 4;
        break;
      case kU2:
        v = Load<uint16_t>(p);
        p += 2;
        break;
      case kS2:
        v = Load<int16_t>(p);
        p += 2;
        break;
      case kUleb: v = static_cast<int64_t>(Uleb()); break;
      default: ok = false;
    }
    return v;
  }
  // nullptr for a stored zero, which means "none".
  const uint8_t* Pointer(uint8_t encoding) {
    const uint8_t* const at = p;
    const int64_t raw = Raw(encoding);
    if (raw == 0) return nullptr;
    if ((encoding & kBaseMask) == kPcRelative) return at + raw;
    if (encoding & kBaseMask) ok = false;
    return reinterpret_cast<const uint8_t*>(raw);
  }
};

struct Cie {
  uint8_t pointer_encoding = 0;
  uint8_t lsda_encoding = kOmit;
  bool has_augmentation_size = false;
  bool signal_frame = false;
};

bool ReadCie(const uint8_t* cie, Cie* out) {
  const uint8_t version = cie[8];
  const auto* augmentation = reinterpret_cast<const char*>(cie + 9);
  const char* a = augmentation;
  while (*a) ++a;
  Cursor c{reinterpret_cast<const uint8_t*>(a + 1)};
  c.SkipLeb();  // code alignment
  c.SkipLeb();  // data alignment
  if (version == 1)
    ++c.p;
  else if (version == 3)
    c.SkipLeb();
  else
    return false;
  if (!*augmentation) return true;
  if (*augmentation != 'z') return false;
  out->has_augmentation_size = true;
  c.SkipLeb();
  for (const char* p = augmentation + 1; *p; ++p) {
    if (*p == 'R')
      out->pointer_encoding = *c.p++;
    else if (*p == 'L')
      out->lsda_encoding = *c.p++;
    else if (*p == 'S')
      out->signal_frame = true;
    else if (*p == 'P') {
      const uint8_t encoding = *c.p++;
      c.Raw(encoding);
    } else {
      return false;
    }
  }
  return c.ok;
}

}  // namespace

UnwindIndex OpenUnwindIndex(const uint8_t* header, size_t size) {
  UnwindIndex index;
  // The one layout that linkers write: version 1, 4-byte pointers, a sorted table.
  if (size < 12 || header[0] != 1 || (header[1] & kFormatMask) != kS4 || header[2] != kU4 ||
      header[3] != kDataRelativeS4)
    return index;
  index.count = Load<uint32_t>(header + 8);
  if (index.count > (size - 12) / sizeof(UnwindIndex::Entry)) return UnwindIndex{};
  index.header = header;
  index.table = reinterpret_cast<const UnwindIndex::Entry*>(header + 12);
  return index;
}

bool FindFunction(const UnwindIndex& index, const uint8_t* pc, FunctionBounds* out) {
  if (!index.header || !index.count) return false;
  const int64_t offset = pc - index.header;
  size_t low = 0, high = index.count;  // the last entry at or before pc lies in [low, high)
  if (offset < index.table[0].function) return false;
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    (index.table[middle].function <= offset ? low : high) = middle;
  }
  const uint8_t* const fde = index.header + index.table[low].fde;
  const uint32_t length = Load<uint32_t>(fde);
  if (length == 0 || length == 0xffffffff) return false;
  Cie cie;
  if (!ReadCie(fde + 4 - Load<uint32_t>(fde + 4), &cie)) return false;
  Cursor c{fde + 8};
  FunctionBounds bounds;
  bounds.start = c.Pointer(cie.pointer_encoding);
  bounds.end = bounds.start + c.Raw(cie.pointer_encoding & kFormatMask);
  bounds.signal_frame = cie.signal_frame;
  if (cie.has_augmentation_size) {
    c.Uleb();
    if (cie.lsda_encoding != kOmit) bounds.lsda = c.Pointer(cie.lsda_encoding);
  }
  if (!c.ok || bounds.start != index.header + index.table[low].function) return false;
  if (!bounds.Contains(pc)) {
    const uint8_t* gap_end = bounds.end + kTail;
    if (low + 1 < index.count && index.header + index.table[low + 1].function < gap_end)
      gap_end = index.header + index.table[low + 1].function;
    if (pc >= gap_end) return false;
    bounds.end = gap_end;
  }
  *out = bounds;
  return true;
}

bool MayLandIn(const FunctionBounds& function, const uint8_t* begin, const uint8_t* end) {
  if (!function.lsda) return false;
  Cursor c{function.lsda};
  const uint8_t start_encoding = *c.p++;
  const uint8_t* base = function.start;
  if (start_encoding != kOmit) base = c.Pointer(start_encoding);
  if (*c.p++ != kOmit) c.Uleb();  // types, and where they end
  const uint8_t encoding = *c.p++;
  const uint64_t size = c.Uleb();
  const uint8_t* const table_end = c.p + size;
  while (c.ok && c.p < table_end) {
    c.Raw(encoding);
    c.Raw(encoding);
    const int64_t landing = c.Raw(encoding);
    c.SkipLeb();  // action
    if (landing && base + landing >= begin && base + landing < end) return true;
  }
  return !c.ok;
}

}  // namespace green
