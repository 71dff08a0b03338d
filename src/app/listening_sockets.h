// ListeningSockets: the listening descriptors of the process: for each listener one per core, bound
// to the same address with SO_REUSEPORT so that the kernel spreads connections and no core shares
// an accept queue. They pass to the next binary at an upgrade, by number, in the environment.
// Owner: the Gateway. Control thread only.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "loop/address.h"

namespace doorward::app {

class ListeningSockets {
 public:
  ListeningSockets() = default;
  ListeningSockets(const ListeningSockets&) = delete;
  ListeningSockets& operator=(const ListeningSockets&) = delete;
  ~ListeningSockets();

  // Binds `count` descriptors to `address` under that name, or takes over inherited ones. The
  // error is one sentence with a way out.
  Result<void> open(const std::string& name, const std::string& address, unsigned count);
  void close(const std::string& name);
  // The cores, which tell who is in the queue first, close the descriptors themselves; here a unix
  // socket's file is removed, and nobody new heard, unless other processes serve from them or
  // (`lent`) might soon. The name may be opened again at once.
  void give_up(const std::string& name, bool lent);
  // All cores have closed what was given up under that name.
  void closed(const std::string& name) { leaving_.erase(leaving_.find(name)); }

  const std::vector<int>& of(const std::string& name) const { return sockets_.at(name).fds; }
  // Where it really listens (the port when 0 was asked for).
  const std::string& bound(const std::string& name) const { return sockets_.at(name).bound; }
  const std::string& address(const std::string& name) const { return sockets_.at(name).address; }
  bool has(const std::string& name) const { return sockets_.contains(name); }

  // For the next binary: "name address fd,fd;…". Its process must inherit the descriptors.
  std::string describe() const;
  std::vector<int> descriptors() const;
  // What a former binary left; wrong text is ignored.
  void inherit(std::string_view text);
  // A new process serves now: the files of unix sockets are left to it.
  void hand_over();
  // Inherited ones that the configuration no longer names; the others are this process' own now.
  void close_unclaimed();

 private:
  struct Group {
    std::string address;  // as configured
    std::string bound;
    std::vector<int> fds;
    bool shared = false;  // another process may still serve from it
  };
  static void close_group(Group& group);
  static void remove_file(const Group& group);
  Result<int> open_one(const loop::Address& address);
  Result<void> fill(Group& group, const std::string& name, loop::Address address, unsigned count);

  std::map<std::string, Group> sockets_;
  std::map<std::string, Group> inherited_;
  std::multiset<std::string> leaving_;  // given up, but not closed yet: they are still bound
};

}  // namespace doorward::app
