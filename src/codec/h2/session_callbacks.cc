// What nghttp2 tells and what becomes of it. Nothing here may wait, throw, or call the engine's
// mem_recv and mem_send. A callback that returns kEnd ends the connection: Session::abuse_ says
// why.
#include "codec/h2/session_callbacks.h"

#include <memory>

#include "base/check.h"
#include "codec/h2/channel.h"
#include "codec/h2/session.h"

namespace doorward::codec::h2 {
namespace {

constexpr int kEnd = NGHTTP2_ERR_CALLBACK_FAILURE;

Session& session_of(void* user) { return *static_cast<Session*>(user); }

Channel* channel_of(nghttp2_session* engine, std::int32_t stream) {
  return static_cast<Channel*>(nghttp2_session_get_stream_user_data(engine, stream));
}

std::string_view view(nghttp2_rcbuf* buffer) {
  const nghttp2_vec bytes = nghttp2_rcbuf_get_buf(buffer);
  return {reinterpret_cast<const char*>(bytes.base), bytes.len};
}

// Which budget a frame is charged to, by its type alone.
Abuse charge_of(const nghttp2_frame_hd& head) {
  const bool acknowledges = (head.flags & NGHTTP2_FLAG_ACK) != 0;
  switch (head.type) {
    case NGHTTP2_DATA:
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:  // has a limit of its own
      return Abuse::none;
    case NGHTTP2_RST_STREAM:
      return Abuse::rapid_reset;
    case NGHTTP2_SETTINGS:
      return acknowledges ? Abuse::none : Abuse::settings_flood;
    case NGHTTP2_PING:
      return acknowledges ? Abuse::none : Abuse::ping_flood;
    case NGHTTP2_PRIORITY:
    case NGHTTP2_PRIORITY_UPDATE:
      return Abuse::priority_flood;
    case NGHTTP2_WINDOW_UPDATE:
      return Abuse::window_flood;
    default:
      return Abuse::unknown_flood;
  }
}

}  // namespace

struct Callbacks {
  static bool is_gone(Session& session, std::int32_t stream) {
    return nghttp2_session_find_stream(session.engine(), stream) == nullptr;
  }

  // The engine keeps a stream until its RST_STREAM is packed, which may be long when the peer does
  // not read, and drops what comes of it as if it were gone.
  static bool is_given_up(Session& session, std::int32_t stream) {
    const Channel* channel = channel_of(session.engine(), stream);
    return channel == nullptr || channel->is_given_up();
  }

  // Of a stream that is over, which the engine drops without any further callback. (DATA comes to
  // no callback at all: Session::note_head().)
  static bool is_late(Session& session, const nghttp2_frame_hd& head) {
    const bool from_client = session.peer_ == Side::client;
    switch (head.type) {
      case NGHTTP2_CONTINUATION:
        break;
      case NGHTTP2_RST_STREAM:
        if (from_client) return false;  // is charged by its type
        break;
      case NGHTTP2_HEADERS:
        if (from_client &&
            head.stream_id > nghttp2_session_get_last_proc_stream_id(session.engine())) {
          return false;  // it opens the stream
        }
        break;
      default:
        return false;
    }
    if (head.stream_id == 0) return false;
    if (is_gone(session, head.stream_id)) return true;
    return head.type != NGHTTP2_RST_STREAM && is_given_up(session, head.stream_id);
  }

  // RFC 9113 §5.1 and §5.1.1: a client that goes on with a stream that it ended, or uses a number
  // that it passed over, breaks the rules; the engine lets that pass.
  static std::uint32_t violation_of_late(Session& session, const nghttp2_frame_hd& head) {
    if (session.peer_ != Side::client || head.type != NGHTTP2_HEADERS || head.stream_id % 2 == 0) {
      return NGHTTP2_NO_ERROR;
    }
    if (!is_gone(session, head.stream_id)) return NGHTTP2_NO_ERROR;
    switch (session.closed_.fate(head.stream_id)) {
      case ClosedStreams::Fate::ended:
        return NGHTTP2_STREAM_CLOSED;
      case ClosedStreams::Fate::never_opened:
        return NGHTTP2_PROTOCOL_ERROR;
      default:
        return NGHTTP2_NO_ERROR;
    }
  }

  static int break_off(Session& session, std::uint32_t violation, std::string detail) {
    session.violation_ = violation;
    session.end_detail_ = std::move(detail);
    return kEnd;
  }

  static int late_frame(Session& session, const nghttp2_frame_hd& head) {
    const std::uint32_t violation = violation_of_late(session, head);
    if (violation != NGHTTP2_NO_ERROR) {
      return break_off(session, violation,
                       "HEADERS on stream " + std::to_string(head.stream_id) +
                           ", which has ended or was never opened");
    }
    if (!session.guard_.too_late(kFrameHead + head.length)) return 0;
    session.abuse_ = Abuse::closed_flood;
    return kEnd;
  }

  static int begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
    Session& session = session_of(user);
    if (head->type == NGHTTP2_DATA) session.content_due_ -= kFrameHead + head->length;
    if (is_late(session, *head)) return late_frame(session, *head);
    if (head->type == NGHTTP2_PRIORITY && head->stream_id == 0) {  // RFC 9113 §6.3
      return break_off(session, NGHTTP2_PROTOCOL_ERROR, "PRIORITY on stream 0");
    }
    // RFC 9113 §8.4: before a promise stands a request, and before that the SETTINGS that forbid
    // it.
    if (head->type == NGHTTP2_PUSH_PROMISE && session.peer_ == Side::backend) {
      return break_off(session, NGHTTP2_PROTOCOL_ERROR, "PUSH_PROMISE, which was not allowed");
    }
    const Abuse charge = charge_of(*head);
    if (charge == Abuse::none) return 0;
    // Only a client can make work by opening and resetting; a backend's resets are answers.
    if (charge == Abuse::rapid_reset && session.peer_ == Side::backend) return 0;
    return session.abused(charge) ? kEnd : 0;
  }

  static int begin_headers(nghttp2_session* engine, const nghttp2_frame* frame, void* user) {
    const std::int32_t stream = frame->hd.stream_id;
    Session& session = session_of(user);
    Channel* channel = channel_of(engine, stream);
    if (channel == nullptr && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      channel = session.on_request_begins(stream);
      if (channel == nullptr) {  // no room: RFC 9113 §8.7, nothing of it was done
        nghttp2_submit_rst_stream(engine, NGHTTP2_FLAG_NONE, stream, NGHTTP2_REFUSED_STREAM);
        return session.abused(Abuse::too_many_streams) ? kEnd
                                                       : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
      }
    }
    if (channel != nullptr) channel->on_block_begins();
    return 0;
  }

  static int header(nghttp2_session* engine, const nghttp2_frame* frame, nghttp2_rcbuf* name,
                    nghttp2_rcbuf* value, std::uint8_t, void* user) {
    Channel* channel = channel_of(engine, frame->hd.stream_id);
    if (channel == nullptr) return 0;
    channel->on_field(view(name), view(value));
    if (!channel->reader().is_bomb()) return 0;
    session_of(user).abuse_ = Abuse::hpack_bomb;
    return kEnd;
  }

  static int frame_recv(nghttp2_session* engine, const nghttp2_frame* frame, void* user) {
    Session& session = session_of(user);
    const bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    Channel* channel = frame->hd.stream_id == 0 ? nullptr : channel_of(engine, frame->hd.stream_id);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        session.guard_.useful();
        if (channel == nullptr) return 0;
        channel->count_received_head(frame->hd.length);
        if (channel->reader().fields() == 0 && !last && session.abused(Abuse::empty_flood)) {
          return kEnd;
        }
        return channel->on_block_ends(last) ? 0 : kEnd;
      case NGHTTP2_DATA:
        if (frame->hd.length <= frame->data.padlen && !last) {
          return session.abused(Abuse::empty_flood) ? kEnd : 0;
        }
        session.guard_.useful();
        return channel == nullptr || !last || channel->on_end() ? 0 : kEnd;
      case NGHTTP2_RST_STREAM:
        session.reset_by_peer_ = frame->hd.stream_id;         // and closed next
        if (is_gone(session, frame->hd.stream_id)) return 0;  // it was closed before
        session.on_reset(true, frame->rst_stream.error_code);
        return 0;
      case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) session.on_peer_settings();
        return 0;
      case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) session.on_ping_answered();
        return 0;
      case NGHTTP2_GOAWAY:
        session.on_goaway();
        return 0;
      default:
        return 0;
    }
  }

  // A stream error that the engine found: it sends RST_STREAM, the peer made it do so.
  static int invalid_frame(nghttp2_session* engine, const nghttp2_frame* frame, int, void* user) {
    Session& session = session_of(user);
    if (frame->hd.stream_id == 0) return 0;
    if (session.peer_ == Side::backend) {
      Channel* channel = channel_of(engine, frame->hd.stream_id);
      return channel == nullptr || channel->on_bad_frame() ? 0 : kEnd;
    }
    Channel* channel = channel_of(engine, frame->hd.stream_id);
    if (channel == nullptr && frame->hd.type == NGHTTP2_HEADERS) {
      session.stream_over(frame->hd.stream_id, false);  // refused: more of it may be on its way
      return session.abused(Abuse::too_many_streams) ? kEnd : 0;
    }
    if (channel != nullptr) channel->on_reset_by_engine();
    return session.abused(Abuse::rapid_reset) ? kEnd : 0;
  }

  // In the engine's own words, which name frame and rule.
  static int engine_says(nghttp2_session*, int, const char* text, std::size_t size, void* user) {
    session_of(user).end_detail_.assign(text, size);
    return 0;
  }

  static int data(nghttp2_session* engine, std::uint8_t, std::int32_t stream,
                  const std::uint8_t* bytes, std::size_t size, void* user) {
    Session& session = session_of(user);
    Channel* channel = channel_of(engine, stream);
    if (channel == nullptr) {  // nobody reads it any more
      session.consume(stream, size);
      return 0;
    }
    const std::string_view content(reinterpret_cast<const char*>(bytes), size);
    return channel->on_data(session.input_, content) ? 0 : kEnd;
  }

  static int frame_sent(nghttp2_session* engine, const nghttp2_frame* frame, void* user) {
    Session& session = session_of(user);
    if (frame->hd.type == NGHTTP2_GOAWAY) session.note_why(frame->goaway);
    if (frame->hd.type == NGHTTP2_RST_STREAM) session.on_reset(false, frame->rst_stream.error_code);
    if (frame->hd.type == NGHTTP2_DATA) session.guard_.useful();
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    session.guard_.useful();
    if (Channel* channel = channel_of(engine, frame->hd.stream_id)) {
      channel->count_sent_head(frame->hd.length);
      channel->out().head_packed();
    }
    return 0;
  }

  static int stream_closed(nghttp2_session* engine, std::int32_t stream, std::uint32_t code,
                           void* user) {
    Session& session = session_of(user);
    if (Channel* channel = channel_of(engine, stream)) channel->on_closed(code);
    session.stream_over(stream, stream == session.reset_by_peer_ ||
                                    nghttp2_session_get_stream_remote_close(engine, stream) == 1);
    return 0;
  }

  static int send_data(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* head,
                       std::size_t size, nghttp2_data_source* source, void* user) {
    Session& session = session_of(user);
    DOORWARD_CHECK(frame->data.padlen == 0);
    static_cast<Outflow*>(source->ptr)
        ->lend(session.output_, {reinterpret_cast<const char*>(head), 9}, size);
    session.packed_ += 9 + size;
    return session.output_full() ? NGHTTP2_ERR_PAUSE : 0;
  }

  // Frames of unknown types are ignored (RFC 9113 §4.1), but counted.
  static int unknown_chunk(nghttp2_session*, const nghttp2_frame_hd*, const std::uint8_t*,
                           std::size_t, void*) {
    return 0;
  }
  static int unknown_frame(nghttp2_session*, void**, const nghttp2_frame_hd*, void*) {
    return NGHTTP2_ERR_CANCEL;
  }

  static nghttp2_session_callbacks* make() {
    nghttp2_session_callbacks* all = nullptr;
    DOORWARD_CHECK(nghttp2_session_callbacks_new(&all) == 0);
    nghttp2_session_callbacks_set_on_begin_frame_callback(all, begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(all, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(all, header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(all, frame_recv);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(all, invalid_frame);
    nghttp2_session_callbacks_set_error_callback2(all, engine_says);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(all, data);
    nghttp2_session_callbacks_set_on_frame_send_callback(all, frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(all, stream_closed);
    nghttp2_session_callbacks_set_send_data_callback(all, send_data);
    nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(all, unknown_chunk);
    nghttp2_session_callbacks_set_unpack_extension_callback(all, unknown_frame);
    return all;
  }
};

nghttp2_session* make_engine(bool server, Session* session) {
  using CallbacksPtr =
      std::unique_ptr<nghttp2_session_callbacks, decltype(&nghttp2_session_callbacks_del)>;
  using OptionPtr = std::unique_ptr<nghttp2_option, decltype(&nghttp2_option_del)>;
  const CallbacksPtr callbacks(Callbacks::make(), nghttp2_session_callbacks_del);
  nghttp2_option* made = nullptr;
  DOORWARD_CHECK(nghttp2_option_new(&made) == 0);
  const OptionPtr options(made, nghttp2_option_del);
  nghttp2_option_set_no_auto_window_update(made, 1);
  nghttp2_option_set_no_http_messaging(made, 1);  // HeadReader and Channel judge messages
  nghttp2_option_set_max_outbound_ack(made, kAcksMost);
  nghttp2_option_set_max_continuations(made, kContinuationsMost);
  nghttp2_option_set_no_closed_streams(made, 1);
  for (int type = NGHTTP2_CONTINUATION + 1; type < 256; ++type) {
    if (type == NGHTTP2_PRIORITY_UPDATE) continue;
    nghttp2_option_set_user_recv_extension_type(made, static_cast<std::uint8_t>(type));
  }
  if (server) {
    nghttp2_option_set_builtin_recv_extension_type(made, NGHTTP2_PRIORITY_UPDATE);
  }
  nghttp2_session* engine = nullptr;
  const int made_engine =
      server ? nghttp2_session_server_new2(&engine, callbacks.get(), session, made)
             : nghttp2_session_client_new2(&engine, callbacks.get(), session, made);
  DOORWARD_CHECK(made_engine == 0);
  return engine;
}

}  // namespace doorward::codec::h2
