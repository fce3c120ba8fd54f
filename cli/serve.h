// A minimal HTTP/1.0 server for one page, on 127.0.0.1 or on a Unix socket (mode 0600).
#pragma once

#include <functional>
#include <string>

namespace green::cli {

// address: "127.0.0.1:PORT" or a path. Serves page() to each GET until it returns nothing, then
// returns 0; 1 after a line on stderr if it cannot listen.
int Serve(const std::string& address, const std::function<std::string()>& page);

}  // namespace green::cli
