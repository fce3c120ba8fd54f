#include "cli/profile_formats.h"

#include <map>
#include <memory>
#include <nlohmann/json.hpp>

namespace green::cli {
namespace {

using inspect::Profile;
using inspect::ProfileKind;

struct Node {
  uint64_t total = 0;
  std::map<std::string, std::unique_ptr<Node>> children;
};

void Write(const Node& node, const std::string& name, std::string* out) {
  *out += "[" + nlohmann::json(name).dump() + "," + std::to_string(node.total / 1000);
  for (const auto& [child, below] : node.children) {
    *out += ",";
    Write(*below, child, out);
  }
  *out += "]";
}

// Protocol buffers' wire format: varints and length-delimited fields.
class Proto {
 public:
  void Number(int field, uint64_t v) {
    Varint(static_cast<uint64_t>(field) << 3);
    Varint(v);
  }
  void Bytes(int field, const std::string& v) {
    Varint(static_cast<uint64_t>(field) << 3 | 2);
    Varint(v.size());
    text_ += v;
  }
  void Packed(int field, const std::vector<uint64_t>& values) {
    Proto inner;
    for (uint64_t v : values) inner.Varint(v);
    Bytes(field, inner.text_);
  }
  const std::string& text() const { return text_; }

 private:
  void Varint(uint64_t v) {
    for (; v >= 0x80; v >>= 7) text_ += static_cast<char>(v | 0x80);
    text_ += static_cast<char>(v);
  }
  std::string text_;
};

// The strings of a pprof file; number 0 is the empty one.
class Strings {
 public:
  uint64_t Of(const std::string& s) {
    const auto [known, fresh] = numbers_.try_emplace(s, all_.size());
    if (fresh) all_.push_back(s);
    return known->second;
  }
  const std::vector<std::string>& all() const { return all_; }

 private:
  std::vector<std::string> all_ = {""};
  std::map<std::string, uint64_t> numbers_ = {{"", 0}};
};

constexpr uint64_t kProgram = 1;  // the mapping's number

std::string ValueType(Strings& strings, const char* type, const char* unit) {
  Proto p;
  p.Number(1, strings.Of(type));
  p.Number(2, strings.Of(unit));
  return p.text();
}

constexpr char kPage[] = R"html(<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>@TITLE@</title><style>
body{font:13px sans-serif;margin:8px;background:#fff;color:#222}
#f{position:relative;margin-top:8px}
#f div{position:absolute;height:17px;line-height:17px;overflow:hidden;white-space:nowrap;
 box-sizing:border-box;border-right:1px solid #fff;border-bottom:1px solid #fff;padding-left:3px;
 font-size:11px;cursor:pointer}
#f div.hit{outline:2px solid #a0a;outline-offset:-2px}
#s{height:18px}
input{font:inherit}
</style></head><body>
<b>@TITLE@</b> &nbsp; <input id="q" placeholder="search"> <button id="r">all</button>
<div id="s"></div><div id="f"></div>
<script>
// [name, microseconds, child, ...]
const root = @DATA@;
const view = document.getElementById("f"), line = document.getElementById("s"),
      query = document.getElementById("q");
let top_ = root;
const ms = us => us < 1e6 ? (us / 1e3).toFixed(1) + " ms" : (us / 1e6).toFixed(2) + " s";
function colour(name) {
  let h = 0;
  for (const c of name) h = (h * 31 + c.charCodeAt(0)) >>> 0;
  if (name[0] == "[") return `hsl(210 45% ${70 + h % 12}%)`;
  return `hsl(${10 + h % 45} 75% ${62 + h % 14}%)`;
}
function draw() {
  view.textContent = "";
  const width = document.body.clientWidth, wanted = query.value.toLowerCase();
  let depth = 0, found = 0;
  (function put(node, x, w, level, within) {
    if (w < 1) return;
    depth = Math.max(depth, level);
    const box = document.createElement("div");
    const hit = wanted && node[0].toLowerCase().includes(wanted);
    if (hit && !within) found += node[1];
    box.style.cssText = `left:${x}px;width:${w}px;top:${level * 17}px;background:${colour(node[0])}`;
    if (hit) box.className = "hit";
    if (w > 25) box.textContent = node[0];
    box.title = `${node[0]}\n${ms(node[1])}, ${(100 * node[1] / root[1]).toFixed(1)}% of all`;
    box.onclick = () => { top_ = node; draw(); };
    view.appendChild(box);
    for (let i = 2; i < node.length; i++) {
      const part = w * node[i][1] / node[1];
      put(node[i], x, part, level + 1, within || hit);
      x += part;
    }
  })(top_, 0, width, 0, false);
  view.style.height = (depth + 1) * 17 + "px";
  line.textContent = `${top_[0]}: ${ms(top_[1])} of ${ms(root[1])}` +
      (wanted ? `; matched ${ms(found)}` : "");
}
query.oninput = draw;
document.getElementById("r").onclick = () => { top_ = root; query.value = ""; draw(); };
window.onresize = draw;
draw();
</script></body></html>
)html";

void Replace(std::string* text, const std::string& what, const std::string& by) {
  for (size_t at = 0; (at = text->find(what, at)) != text->npos; at += by.size())
    text->replace(at, what.size(), by);
}

std::string Escaped(const std::string& text) {
  std::string out;
  for (char c : text)
    out += c == '<'   ? "&lt;"
           : c == '>' ? "&gt;"
           : c == '&' ? "&amp;"
           : c == '"' ? "&quot;"
                      : std::string(1, c);
  return out;
}

}  // namespace

const char* NameOf(ProfileKind kind) {
  return kind == ProfileKind::kOnCpu ? "on-CPU" : kind == ProfileKind::kOffCpu ? "off-CPU" : "wall";
}

std::string FoldedText(const Profile& profile) {
  std::string out;
  for (const auto& [path, ns] : profile.stacks) {
    std::string line;
    for (std::string frame : path) {
      for (char& c : frame)
        if (c == ';') c = ':';
      line += (line.empty() ? "" : ";") + frame;
    }
    out += line + " " + std::to_string(ns / 1000) + "\n";
  }
  return out;
}

std::string FlamegraphHtml(const Profile& profile, const std::string& title) {
  Node root;
  for (const auto& [path, ns] : profile.stacks) {
    Node* at = &root;
    at->total += ns;
    for (const std::string& frame : path) {
      auto& next = at->children[frame];
      if (!next) next = std::make_unique<Node>();
      at = next.get();
      at->total += ns;
    }
  }
  std::string data;
  Write(root, "all", &data);
  Replace(&data, "<", "\\u003c");  // no name may end the script
  std::string page = kPage;
  Replace(&page, "@TITLE@", Escaped(title));
  Replace(&page, "@DATA@", data);
  return page;
}

std::string Pprof(const Profile& profile, const std::string& program) {
  Strings strings;
  Proto out;
  const char* unit = "nanoseconds";
  const char* type = profile.kind == ProfileKind::kOnCpu ? "cpu" : NameOf(profile.kind);
  out.Bytes(1, ValueType(strings, type, unit));
  std::map<std::string, uint64_t> functions;  // a location of the same number each
  for (const auto& [path, ns] : profile.stacks) {
    std::vector<uint64_t> locations;
    for (auto frame = path.rbegin(); frame != path.rend(); ++frame)
      locations.push_back(functions.try_emplace(*frame, functions.size() + 1).first->second);
    Proto sample;
    sample.Packed(1, locations);
    sample.Packed(2, {ns});
    out.Bytes(2, sample.text());
  }
  for (const auto& [name, number] : functions) {
    Proto line, location, function;
    line.Number(1, number);
    location.Number(1, number);
    location.Number(2, kProgram);
    location.Bytes(4, line.text());
    out.Bytes(4, location.text());
    function.Number(1, number);
    function.Number(2, strings.Of(name));
    out.Bytes(5, function.text());
  }
  Proto mapping;  // one for all: it names the program, and says that names are known
  mapping.Number(1, kProgram);
  mapping.Number(5, strings.Of(program));
  mapping.Number(7, 1);
  out.Bytes(3, mapping.text());
  const std::string period = ValueType(strings, type, unit);
  for (const std::string& s : strings.all()) out.Bytes(6, s);
  out.Number(10, static_cast<uint64_t>(profile.duration_ns));
  out.Bytes(11, period);
  out.Number(12, static_cast<uint64_t>(1e9 / profile.hz));
  return out.text();
}

}  // namespace green::cli
