#include "cli/preload.h"

#include <gtest/gtest.h>

namespace green::cli {
namespace {

TEST(PreloadTest, StandsAloneWhenThereIsNoOther) {
  EXPECT_EQ(WithLibrary("", "/a/libgreen.so"), "/a/libgreen.so");
}

TEST(PreloadTest, KeepsOtherPreloadsInFront) {
  EXPECT_EQ(WithLibrary("libasan.so:/x/libjemalloc.so.2", "/a/libgreen.so"),
            "libasan.so:/x/libjemalloc.so.2:/a/libgreen.so");
}

TEST(PreloadTest, TakesBothSeparatorsOfTheLoader) {
  EXPECT_EQ(WithLibrary("one.so  two.so:", "/a/libgreen.so"), "one.so:two.so:/a/libgreen.so");
}

TEST(PreloadTest, IsNeverThereTwice) {
  EXPECT_EQ(WithLibrary("/b/libgreen.so:x.so", "/a/libgreen.so"), "x.so:/a/libgreen.so");
}

TEST(PreloadTest, RemovesOnlyItself) {
  EXPECT_EQ(WithoutLibrary("notlibgreen.so:/a/libgreen.so:libgreen.so"), "notlibgreen.so");
}

}  // namespace
}  // namespace green::cli
