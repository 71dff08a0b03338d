// The other side of a connection, for tests: nghttp2 as it is, or frames written by hand, over a
// WireEnd. It notes everything it is told. Only *_test.cc files include it.
#pragma once

#include <gtest/gtest.h>
#include <map>
#include <nghttp2/nghttp2.h>
#include <string>
#include <utility>
#include <vector>

#include "codec/h2/test_wire.h"
#include "loop/task.h"

namespace doorward::codec::h2 {

using Fields = std::vector<std::pair<std::string, std::string>>;

// What the peer knows of a stream.
struct PeerStream {
  std::vector<Fields> blocks;  // heads, in order; trailers last
  std::string body;
  bool ended = false;
  bool closed = false;
  std::uint32_t code = 0;  // of its close
  std::string to_send;
  bool send_end = false;

  std::string field(std::size_t block, std::string_view name) const {
    if (block >= blocks.size()) return "(no such block)";
    for (const auto& [n, v] : blocks[block]) {
      if (n == name) return v;
    }
    return "";
  }
  std::string status() const { return blocks.empty() ? "" : field(blocks.size() - 1, ":status"); }
};

class Peer {
 public:
  enum class Role : std::uint8_t { client, server };
  Peer(WireEnd& wire, Role role, bool auto_window = true)
      : wire_(wire), server_(role == Role::server) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, auto_window ? 0 : 1);
    nghttp2_option_set_no_http_messaging(option, 1);
    if (server_) {
      nghttp2_session_server_new2(&session, callbacks, this, option);
    } else {
      nghttp2_session_client_new2(&session, callbacks, this, option);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
  }
  ~Peer() { nghttp2_session_del(session); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void settings(std::vector<nghttp2_settings_entry> entries = {}) {
    nghttp2_submit_settings(session, 0, entries.data(), entries.size());
  }

  static std::vector<nghttp2_nv> pairs(const Fields& fields) {
    std::vector<nghttp2_nv> all;
    for (const auto& [name, value] : fields) {
      all.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                     reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                     value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    return all;
  }

  // `body` null: the head ends the stream. More can be sent with write().
  std::int32_t request(const Fields& fields, const char* body = nullptr, bool end = true) {
    const auto all = pairs(fields);
    nghttp2_data_provider provider{};
    provider.read_callback = read_body;
    const std::int32_t id = nghttp2_submit_request(session, nullptr, all.data(), all.size(),
                                                   body == nullptr ? nullptr : &provider, nullptr);
    if (body != nullptr) {
      streams[id].to_send = body;
      streams[id].send_end = end;
    }
    return id;
  }
  void respond(std::int32_t id, const Fields& fields, const char* body = nullptr, bool end = true) {
    const auto all = pairs(fields);
    nghttp2_data_provider provider{};
    provider.read_callback = read_body;
    if (body != nullptr) {
      streams[id].to_send = body;
      streams[id].send_end = end;
    }
    nghttp2_submit_response(session, id, all.data(), all.size(),
                            body == nullptr ? nullptr : &provider);
  }
  void headers(std::int32_t id, const Fields& fields, bool end) {
    const auto all = pairs(fields);
    nghttp2_submit_headers(session, end ? NGHTTP2_FLAG_END_STREAM : 0, id, nullptr, all.data(),
                           all.size(), nullptr);
  }
  void write(std::int32_t id, std::string_view bytes, bool end) {
    streams[id].to_send += bytes;
    streams[id].send_end = end;
    nghttp2_session_resume_data(session, id);
  }
  void trailers(std::int32_t id, const Fields& fields) {
    trailers_[id] = fields;
    write(id, "", true);
  }

  // Frames written by hand, sent behind what nghttp2 has.
  static std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t id,
                           std::string_view payload) {
    std::string all;
    for (int shift : {16, 8, 0}) all.push_back(static_cast<char>(payload.size() >> shift));
    all.push_back(static_cast<char>(type));
    all.push_back(static_cast<char>(flags));
    for (int shift : {24, 16, 8, 0}) all.push_back(static_cast<char>(id >> shift));
    return all.append(payload);
  }
  void raw(std::string bytes) { raw_ += bytes; }

  // Sends what there is, receives until `done` or the connection's end.
  template <class Done>
  loop::Task<void> until(Done done) {
    for (;;) {
      co_await flush();
      if (done()) co_return;
      Result<Chunk> got = co_await wire_.recv(deadline);
      if (!got || got->empty()) {
        over = true;
        error = got ? ErrorKind::closed : got.error().kind;
        co_return;
      }
      nghttp2_session_mem_recv(session, reinterpret_cast<const std::uint8_t*>(got->data()),
                               got->size());
    }
  }
  loop::Task<void> until_closed(std::int32_t id) {
    co_await until([this, id] { return streams[id].closed || goaway_code != kNone; });
  }
  loop::Task<void> until_over() {
    co_await until([] { return false; });
  }
  loop::Task<void> flush() {
    std::string all;
    for (;;) {
      const std::uint8_t* data = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session, &data);
      if (size <= 0) break;
      all.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    }
    all += std::exchange(raw_, {});
    if (all.empty()) co_return;
    const iovec part{all.data(), all.size()};
    co_await wire_.send({&part, 1}, deadline);
  }

  static constexpr std::uint32_t kNone = 0xffff'ffff;
  nghttp2_session* session = nullptr;
  std::map<std::int32_t, PeerStream> streams;
  std::vector<std::int32_t> order;  // in which streams' heads came
  std::uint32_t goaway_code = kNone;
  std::int32_t goaway_last = -1;
  int goaways = 0;
  int pings_answered = 0;
  int settings_acked = 0;
  bool over = false;
  ErrorKind error = ErrorKind::system;
  Deadline deadline = Deadline::never();

 private:
  static Peer& self(void* user) { return *static_cast<Peer*>(user); }
  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    self(user).streams[frame->hd.stream_id].blocks.emplace_back();
    self(user).order.push_back(frame->hd.stream_id);
    return 0;
  }
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* user) {
    self(user).streams[frame->hd.stream_id].blocks.back().emplace_back(
        std::string(reinterpret_cast<const char*>(name), name_size),
        std::string(reinterpret_cast<const char*>(value), value_size));
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     std::size_t size, void* user) {
    self(user).streams[id].body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Peer& peer = self(user);
    const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    const bool ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    if (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) {
      peer.streams[frame->hd.stream_id].ended |= end;
    }
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      ++peer.goaways;
      peer.goaway_code = frame->goaway.error_code;
      peer.goaway_last = frame->goaway.last_stream_id;
    }
    if (frame->hd.type == NGHTTP2_PING && ack) ++peer.pings_answered;
    if (frame->hd.type == NGHTTP2_SETTINGS && ack) ++peer.settings_acked;
    return 0;
  }
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user) {
    self(user).streams[id].closed = true;
    self(user).streams[id].code = code;
    return 0;
  }
  static ssize_t read_body(nghttp2_session* session, std::int32_t id, std::uint8_t* room,
                           std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                           void* user) {
    Peer& peer = self(user);
    PeerStream& stream = peer.streams[id];
    const std::size_t count = std::min(size, stream.to_send.size());
    if (count == 0 && !stream.send_end) return NGHTTP2_ERR_DEFERRED;
    std::memcpy(room, stream.to_send.data(), count);
    stream.to_send.erase(0, count);
    if (stream.to_send.empty() && stream.send_end) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (const auto found = peer.trailers_.find(id); found != peer.trailers_.end()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const auto all = pairs(found->second);
        nghttp2_submit_trailer(session, id, all.data(), all.size());
      }
    }
    return static_cast<ssize_t>(count);
  }

  WireEnd& wire_;
  const bool server_;
  std::string raw_;
  std::map<std::int32_t, Fields> trailers_;
};

}  // namespace doorward::codec::h2
