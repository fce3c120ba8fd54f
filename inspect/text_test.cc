// What is read as text from /proc.
#include <gtest/gtest.h>

#include "inspect/descriptors.h"
#include "inspect/maps.h"
#include "inspect/snapshot.h"

namespace green::inspect {
namespace {

TEST(MapsTest, ParsesFilesAndGaps) {
  const auto maps = ParseMaps(
      "55d0c0000000-55d0c0001000 r--p 00000000 fe:00 1234       /a/b c (deleted)\n"
      "7f0000000000-7f0000002000 r-xp 00001000 00:00 0 \n"
      "garbage\n");
  ASSERT_EQ(maps.size(), 2u);
  EXPECT_EQ(maps[0].path, "/a/b c (deleted)");
  EXPECT_EQ(maps[0].inode, 1234u);
  EXPECT_TRUE(maps[1].executable);
  EXPECT_EQ(FindMapping(maps, 0x55d0c0000fff), &maps[0]);
  EXPECT_EQ(FindMapping(maps, 0x55d0c0001000), nullptr);
  EXPECT_EQ(FindMapping(maps, 1), nullptr);
}

TEST(SocketsTest, ParsesBothFamilies) {
  SocketTable table;
  ParseInetSockets(
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode\n"
      "   0: 0100007F:1F90 0200007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 "
      "4711 1\n"
      "   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
      "4712 1\n",
      "tcp", &table);
  ParseInetSockets(
      "title\n"
      "   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A "
      "00000000:00000000 00:00000000 00000000     0        0 4713 1\n",
      "tcp6", &table);
  EXPECT_EQ(table[4711].local, "127.0.0.1:8080");
  EXPECT_EQ(table[4711].peer, "127.0.0.2:54321");
  EXPECT_EQ(table[4712].state, "listen");
  EXPECT_EQ(table[4713].local, "[::1]:8080");
}

TEST(SocketsTest, ParsesUnixNames) {
  SocketTable table;
  ParseUnixSockets(
      "title\n0000: 00000002 00000000 00010000 0001 01 99 /run/a b\n"
      "0000: 00000002 00000000 00000000 0001 03 98\n",
      &table);
  EXPECT_EQ(table[99].local, "/run/a b");
  EXPECT_EQ(table[98].local, "");
}

TEST(PrintableTest, DefusesTerminals) { EXPECT_EQ(Printable("a\x1b[2J\xff"), "a?[2J?"); }

}  // namespace
}  // namespace green::inspect
