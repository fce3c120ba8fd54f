// Boost.Context's switch, declared here because its C++ header asks for exceptions.
#pragma once

#include <cstddef>

namespace green {

using Context = void*;

struct Transfer {
  Context from;  // where the context that jumped here can be resumed
  void* data;
};

extern "C" {
Transfer jump_fcontext(Context to, void* data);
Context make_fcontext(void* stack_top, size_t size, void (*fn)(Transfer));
}

}  // namespace green
