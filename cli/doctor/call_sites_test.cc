#include "cli/doctor/call_sites.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <link.h>
#include <unistd.h>

#include "cli/doctor/code_image.h"

namespace green::cli {
namespace {

// Of this process: the path of libc and its address.
link_map* Libc() {
  Dl_info info;
  void* map = nullptr;
  dladdr1(reinterpret_cast<void*>(&getppid), &info, &map, RTLD_DL_LINKMAP);
  return static_cast<link_map*>(map);
}

TEST(CallSites, FindsThoseOfLibc) {
  CallSites sites;
  ASSERT_TRUE(AddCallSites(Libc()->l_name, &sites));
  EXPECT_EQ(sites.objects, 1);
  EXPECT_GT(sites.found, 400);
  EXPECT_GT(sites.patched, 150);
  EXPECT_EQ(sites.found, sites.patched + sites.not_treated + static_cast<int>(sites.missed.size()));
}

TEST(CallSites, SeesThatAProcessIsNotPatched) {
  const int memory = open("/proc/self/mem", O_RDONLY);
  CallSites file, process;
  ASSERT_TRUE(AddCallSites(Libc()->l_name, &file));
  ASSERT_TRUE(AddCallSitesOf(Libc()->l_name, Libc()->l_addr, memory, &process));
  close(memory);
  EXPECT_EQ(process.patched, 0);
  EXPECT_EQ(process.missed.size(), file.missed.size() + static_cast<size_t>(file.patched));
}

TEST(CallSites, ImageLiesWhereTheLoaderPutIt) {
  const CodeImage image(Libc()->l_name);
  ASSERT_TRUE(image.ok());
  const CodeObject::Segment& code = image.code().code[0];
  const auto* mapped =
      reinterpret_cast<const uint8_t*>(image.AddressIn(Libc()->l_addr, code.begin));
  EXPECT_TRUE(std::equal(code.begin, code.begin + 4096, mapped));
}

TEST(CallSites, RefusesWhatIsNoProgram) {
  CallSites sites;
  EXPECT_FALSE(AddCallSites("/etc/passwd", &sites));
  EXPECT_FALSE(AddCallSites("/no/such/file", &sites));
  EXPECT_FALSE(AddCallSites("/", &sites));
  EXPECT_EQ(sites.objects, 0);
}

}  // namespace
}  // namespace green::cli
