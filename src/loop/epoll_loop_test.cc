// What only the epoll backend has to care for.
#include "loop/epoll_loop.h"

#include "loop/loop_fixture.h"

namespace doorward::loop {
namespace {

class EpollLoopTest : public LoopTest {};
INSTANTIATE_TEST_SUITE_P(Backends, EpollLoopTest, testing::Values(Backend::epoll), backend_name);

Task<void> pass_time(Loop& loop) { co_await loop.sleep(Duration(1)); }

// Between fork and exec a child holds every description, so that closing a descriptor does not take
// it out of epoll: what came later would be told to memory that is freed.
TEST_P(EpollLoopTest, ASocketThatIsGoneHearsOfNothingThoughAnotherProcessHoldsIt) {
  Address address;
  const int listening = listen_on_loopback(address);
  const int theirs = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  descriptors_.push_back(theirs);
  ASSERT_EQ(connect(theirs, address.raw(), address.size()), 0);
  const int ours = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
  descriptors_.push_back(dup(ours));
  auto socket = loop_->adopt(ours);
  run(pass_time(*loop_));
  socket.reset();
  run(pass_time(*loop_));
  const std::uint64_t before = loop_->counters().completions;
  ASSERT_EQ(::send(theirs, "x", 1, MSG_NOSIGNAL), 1);
  run(pass_time(*loop_));
  EXPECT_EQ(loop_->counters().completions, before);
}

}  // namespace
}  // namespace doorward::loop
