// GREEN_FOLLOW, which counts when the program starts.
#pragma once

namespace green {

// With GREEN_FOLLOW=0 in environ, takes libgreen.so out of LD_PRELOAD there. At load only.
void Follow();

}  // namespace green
