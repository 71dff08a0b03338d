#include "tls/per_core.h"

#include <algorithm>

namespace doorward::tls {

bool HandshakeTurns::take() {
  if (taken_) return false;
  taken_ = true;
  gate_.spawn(serve());
  return true;
}

loop::Task<void> HandshakeTurns::serve() {
  for (;;) {
    co_await NextTurn{loop_};
    if (waiting_.empty()) break;
    const std::coroutine_handle<> waiter = waiting_.front();
    waiting_.pop_front();
    waiter.resume();
  }
  taken_ = false;
}

PerCore::PerCore(loop::Loop& loop, std::uint32_t buffer_count_max)
    : loop_(loop),
      plain_(kRecordMax, buffer_count_max),
      record_(kRecordMax + 4 * kRecordOverhead, buffer_count_max),
      bulk_(4 * (kRecordMax + kRecordOverhead) + kRecordOverhead,
            std::max(buffer_count_max / 4, 1u)) {}

Room PerCore::room_of(loop::PooledBuffers& pool) {
  Room room;
  room.capacity = pool.buffer_size();
  if (loop::Buffer* buffer = pool.take(); buffer != nullptr) {
    buffer->size = buffer->capacity;
    room.data = buffer->data;
    room.memory = buffer->chunk();
  } else {
    room.memory = Chunk::allocate(room.capacity, room.data);
  }
  return room;
}

}  // namespace doorward::tls
