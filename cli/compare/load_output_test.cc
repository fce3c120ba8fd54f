// Outputs of the tools as they print them, shortened.
#include "cli/compare/load_output.h"

#include <gtest/gtest.h>

#include <regex>

namespace green::cli {
namespace {

TEST(LoadOutput, Wrk) {
  const auto result = ReadLoadOutput(R"(Running 1s test @ http://127.0.0.1:18999/
  1 threads and 5 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    16.32ms   38.39ms 203.25ms   89.62%
    Req/Sec     3.29k     3.70k   12.13k    88.89%
  Latency Distribution
     50%  104.00us
     75%    6.95ms
     90%   56.94ms
     99%    1.20s
  3259 requests in 1.03s, 560.14KB read
  Socket errors: connect 1, read 2, write 0, timeout 4
  Non-2xx or 3xx responses: 100
Requests/sec:   3166.42
Transfer/sec:    544.23KB
)");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->tool, "wrk");
  EXPECT_DOUBLE_EQ(result->rate, 3166.42);
  EXPECT_EQ(result->count, 3259);
  EXPECT_DOUBLE_EQ(result->latency.at(50), 0.104);
  EXPECT_DOUBLE_EQ(result->latency.at(99), 1200);
  EXPECT_EQ(result->latency.size(), 4u);
  EXPECT_EQ(result->errors, 107);
}

TEST(LoadOutput, Ab) {
  const auto result = ReadLoadOutput(R"(Concurrency Level:      5
Complete requests:      200
Failed requests:        3
Requests per second:    1780.36 [#/sec] (mean)
Time per request:       2.808 [ms] (mean)

Percentage of the requests served within a certain time (ms)
  50%      1
  99%     26
 100%     28 (longest request)
)");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->tool, "ab");
  EXPECT_DOUBLE_EQ(result->rate, 1780.36);
  EXPECT_EQ(result->count, 200);
  EXPECT_EQ(result->latency.at(99), 26);
  EXPECT_EQ(result->errors, 3);
}

TEST(LoadOutput, MemtierByTheHeadsOfItsColumns) {
  const auto result = ReadLoadOutput(
      "ALL STATS\n=====\n"
      "Type         Ops/sec     Hits/sec   Misses/sec    Avg. Latency     p50 Latency     p99 "
      "Latency   p99.9 Latency       KB/sec \n-----\n"
      "Sets        12025.77          ---          ---         1.52018         1.43900         "
      "3.80700         6.91100       925.13 \n"
      "Waits           0.00          ---          ---             ---             ---             "
      "---             ---          --- \n"
      "Totals     132246.93         0.00    120221.16         1.51559         1.43900         "
      "3.79100         6.81500      5608.08 \n");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->tool, "memtier");
  EXPECT_DOUBLE_EQ(result->rate, 132246.93);
  EXPECT_FALSE(result->count);
  EXPECT_DOUBLE_EQ(result->latency.at(99.9), 6.815);
  EXPECT_DOUBLE_EQ(result->latency.at(50), 1.439);
}

TEST(LoadOutput, SysbenchWithADatabase) {
  const auto result = ReadLoadOutput(R"(sysbench 1.0.20 (using system LuaJIT 2.1.0-beta3)

SQL statistics:
    transactions:                        1000   (99.21 per sec.)
    queries:                             16000  (1587.41 per sec.)
    ignored errors:                      2      (0.20 per sec.)

General statistics:
    total time:                          10.0787s
    total number of events:              1000

Latency (ms):
         avg:                                   10.07
         95th percentile:                       16.71
)");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->unit, "queries");
  EXPECT_DOUBLE_EQ(result->rate, 1587.41);
  EXPECT_EQ(result->count, 16000);
  EXPECT_DOUBLE_EQ(result->latency.at(95), 16.71);
  EXPECT_EQ(result->errors, 2);
}

TEST(LoadOutput, SysbenchWithoutOne) {
  const auto result = ReadLoadOutput(R"(sysbench 1.0.20 (using system LuaJIT 2.1.0-beta3)
CPU speed:
    events per second:   530.86
General statistics:
    total number of events:              536
Latency (ms):
         95th percentile:                        5.28
)");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->unit, "events");
  EXPECT_DOUBLE_EQ(result->rate, 530.86);
  EXPECT_EQ(result->count, 536);
}

TEST(LoadOutput, SysbenchThatTellsNoRate) {
  const auto result = ReadLoadOutput(R"(sysbench 1.0.20 (using system LuaJIT 2.1.0-beta3)

Running the test with following options:
Number of threads: 4

General statistics:
    total time:                          1.0120s
    total number of events:              184

Latency (ms):
         min:                                    0.48
         avg:                                   21.86
         95th percentile:                       44.98

Threads fairness:
    events (avg/stddev):           46.0000/10.39
)");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->unit, "events");
  EXPECT_NEAR(result->rate, 184 / 1.012, 0.01);
  EXPECT_EQ(result->count, 184);
  EXPECT_DOUBLE_EQ(result->latency.at(95), 44.98);
}

constexpr char kRedis[] =
    " SET: rps=0.0 (overall: 0.0) avg_msec=-nan (overall: -nan)\r   \r====== SET ======\n"
    "  20000 requests completed in 1.57 seconds\n"
    "Latency by percentile distribution:\n"
    "50.000% <= 0.679 milliseconds (cumulative count 10099)\n"
    "Summary:\n"
    "  throughput summary: 10000.00 requests per second\n"
    "  latency summary (msec):\n"
    "          avg       min       p50       p95       p99       max\n"
    "        2.834     0.160     0.679    11.359    15.711    31.647\n"
    "====== GET ======\n"
    "  20000 requests completed in 0.99 seconds\n"
    "Summary:\n"
    "  throughput summary: 20000.00 requests per second\n"
    "  latency summary (msec):\n"
    "          avg       min       p50       p95       p99       max\n"
    "        4.052     0.136     2.367    12.031    14.087    47.295\n";

TEST(LoadOutput, RedisCountsItsTestsTogether) {
  const auto result = ReadLoadOutput(kRedis);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->tool, "redis-benchmark");
  EXPECT_EQ(result->count, 40000);
  EXPECT_NEAR(result->rate, 40000 / 3.0, 0.01);
  EXPECT_DOUBLE_EQ(result->latency.at(50), 2.367);
  EXPECT_DOUBLE_EQ(result->latency.at(99), 15.711);
}

TEST(LoadOutput, RedisQuietly) {
  const auto result = ReadLoadOutput(
      " SET: rps=0.0 (overall: 0.0)\r  \rSET: 10000.00 requests per second, p50=1.519 msec\n"
      " GET: rps=870.1\r  \rGET: 40000.00 requests per second, p50=0.615 msec\n");
  ASSERT_TRUE(result);
  EXPECT_NEAR(result->rate, 16000, 0.01);  // Twice n in n/10000 + n/40000 s.
  EXPECT_DOUBLE_EQ(result->latency.at(50), 1.519);
}

TEST(LoadOutput, UnknownOrCutShortIsNothing) {
  EXPECT_FALSE(ReadLoadOutput(""));
  EXPECT_FALSE(ReadLoadOutput("hello, world\n"));
  EXPECT_FALSE(ReadLoadOutput("Requests/sec: none\n"));
  EXPECT_FALSE(ReadLoadOutput("Type  Ops/sec\n"));
  EXPECT_FALSE(ReadLoadOutput("Totals  1\n"));
  EXPECT_FALSE(ReadLoadOutput("====== SET ======\n  20000 requests completed in 1.57 seconds\n"));
  EXPECT_FALSE(ReadLoadOutput("Latency (ms):\n  95th percentile: 3\n"));
}

TEST(LoadOutput, MetricIsTheLastMatch) {
  const auto result = ReadMetric("rate=1 x\nrate=1,234.5 y\n", "rate=([0-9.,]+)");
  ASSERT_TRUE(result);
  EXPECT_DOUBLE_EQ(result->rate, 1234.5);
  EXPECT_DOUBLE_EQ(ReadMetric("took 12 s", "[0-9]+")->rate, 12);
  EXPECT_FALSE(ReadMetric("rate=", "rate=(.*)"));
  EXPECT_FALSE(ReadMetric("nothing here", "rate=([0-9]+)"));
  EXPECT_THROW(ReadMetric("x", "("), std::regex_error);
}

}  // namespace
}  // namespace green::cli
