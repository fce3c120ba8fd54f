#include "cli/compare/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace green::cli {
namespace {

Comparison Example() {
  Comparison all;
  all.command = "./server <a> & \"b\"";
  all.load = "wrk";
  all.tool = "wrk";
  all.wanted_runs = 2;
  all.metrics = {{"rate", "requests/s", true}, {"rss_mib", "RSS MiB"}};
  all.modes = {{"native", {{{"rate", 1000}, {"rss_mib", 10}}, {{"rate", 1100}, {"rss_mib", 10}}}},
               {"M:N", {{{"rate", 2000}, {"rss_mib", 9}}, {{"rate", 2200}, {"rss_mib", 9}}}}};
  all.unavailable = {{"1:1", "</script> not here"}};
  all.notes = {"a note"};
  return all;
}

TEST(Figure, ThreeDigits) {
  EXPECT_EQ(Figure(0), "0");
  EXPECT_EQ(Figure(0.0456), "0.046");
  EXPECT_EQ(Figure(1.234), "1.23");
  EXPECT_EQ(Figure(9.999), "10.0");
  EXPECT_EQ(Figure(45.67), "45.7");
  EXPECT_EQ(Figure(99.96), "100");
  EXPECT_EQ(Figure(1234567.8), "1,234,568");
  EXPECT_EQ(Figure(-1234), "-1,234");
}

TEST(TextReport, AlignsByCharactersNotBytes) {
  const std::string text = TextReport(Example(), false);
  EXPECT_EQ(text.substr(0, text.find("1:1")),
            "               native        M:N  ratio\n"
            "requests/s  1,050 ±5%  2,100 ±5%  2.00x\n"
            "RSS MiB      10.0 ±0%   9.00 ±0%  0.90x\n");
  EXPECT_NE(text.find("1:1 is unavailable: </script> not here\nnote: a note\nM:N is better"),
            text.npos);
}

TEST(TextReport, ColoursOnlyWhenTold) {
  EXPECT_EQ(TextReport(Example(), false).find('\033'), std::string::npos);
  EXPECT_NE(TextReport(Example(), true).find("\033[32m2.00x\033[0m"), std::string::npos);
}

TEST(JsonReport, HoldsEveryRun) {
  const auto json = nlohmann::json::parse(JsonReport(Example()));
  EXPECT_EQ(json["modes"][0]["runs"][1]["rate"], 1100);
  EXPECT_EQ(json["modes"][1]["summary"]["rate"]["ratio"], 2.0);
  EXPECT_EQ(json["unavailable"]["1:1"], "</script> not here");
  EXPECT_EQ(json["metrics"][1]["better"], "less");
}

TEST(JsonReport, TakesBytesThatAreNoText) {
  Comparison all = Example();
  all.notes = {"\xff\xfe"};
  EXPECT_NO_THROW(nlohmann::json::parse(JsonReport(all)));
}

TEST(HtmlReport, NeedsNothingElseAndEscapes) {
  const std::string page = HtmlReport(Example());
  EXPECT_NE(page.find("./server &lt;a&gt; &amp; &quot;b&quot;"), page.npos);
  for (const char* outside : {"src=", "href=", "url(", "http:", "https:", "@import"}) {
    EXPECT_EQ(page.find(outside), page.npos) << outside;
  }
  size_t dots = 0;
  for (size_t at = 0; (at = page.find("<circle", at)) != page.npos; ++at) ++dots;
  EXPECT_EQ(dots, 8u);  // Two metrics, two modes, two runs.
  EXPECT_EQ(page.find("</script>"), page.rfind("</script>"));
}

TEST(HtmlReport, EmbedsTheJson) {
  const std::string page = HtmlReport(Example());
  const std::string mark = "id=\"data\">\n";
  const size_t begin = page.find(mark) + mark.size();
  const std::string text = page.substr(begin, page.find("</script>") - begin);
  EXPECT_EQ(nlohmann::json::parse(text), nlohmann::json::parse(JsonReport(Example())));
}

}  // namespace
}  // namespace green::cli
