#include "tls/stream.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include "base/check.h"
#include "tls/client_context.h"
#include "tls/errors.h"
#include "tls/reasons.h"
#include "tls/server_context.h"

namespace doorward::tls {

std::unique_ptr<Stream> Stream::server(PerCore& core, std::unique_ptr<loop::ByteStream> transport,
                                       std::shared_ptr<const ServerContext> context,
                                       Chunk received) {
  Owned<SSL> ssl = context->make_ssl();
  SSL_set_accept_state(ssl.get());
  std::unique_ptr<Stream> made(
      new Stream(core, std::move(transport), Side::client, std::move(context), std::move(ssl)));
  if (!received.empty()) made->wire_.feed(std::move(received));
  return made;
}

Result<std::unique_ptr<Stream>> Stream::client(PerCore& core,
                                               std::unique_ptr<loop::ByteStream> transport,
                                               std::shared_ptr<const ClientContext> context,
                                               const Target& target) {
  auto ssl = context->make_ssl(target);
  if (!ssl) return Failure(std::move(ssl.error()));
  SSL_set_connect_state(ssl->get());
  return std::unique_ptr<Stream>(
      new Stream(core, std::move(transport), Side::backend, std::move(context), std::move(*ssl)));
}

Stream::Stream(PerCore& core, std::unique_ptr<loop::ByteStream> transport, Side peer,
               std::shared_ptr<const void> context, Owned<SSL> ssl)
    : core_(core),
      transport_(std::move(transport)),
      peer_(peer),
      wire_(core, *transport_),
      context_(std::move(context)),
      ssl_(std::move(ssl)) {
  BIO* bio = wire_.make_bio();
  SSL_set_bio(ssl_.get(), bio, bio);  // takes it
}

// OpenSSL takes a connection without close_notify for a reason to forget its session; RFC 8446
// §6.1 does not. After an error it shall.
Stream::~Stream() {
  if (usable_) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

void Stream::operator delete(Stream* stream, std::destroying_delete_t) {
  stream->let_go();
  stream->leave_when_idle();
}

void Stream::let_go() {
  DOORWARD_CHECK(!receiver_ && !sender_ && !direct_ && !shaking_);
  released_ = true;
  watch_ = nullptr;
  failure_watch_ = nullptr;
  transport_->watch_peer(nullptr);
  plain_ = Chunk();
  core_.loop().timers().disarm(timer_);
  if (reading_) transport_->cancel_recv();
}

void Stream::leave_when_idle() {
  if (!released_ || working_ > 0) return;
  if (parts_ != nullptr) core_.send_parts().give(std::move(parts_));
  this->~Stream();
  ::operator delete(this);
}

bool Stream::showed_default() const {
  return static_cast<const ServerContext*>(context_.get())->showed_default(ssl_.get());
}

void Stream::cancel_recv() {
  if (!shaking_ && !receiver_) return;
  stop_ = Stop::cancelled;
  if (shaking_) return transport_->cancel_recv();
  core_.loop().resume_later(std::exchange(receiver_, nullptr));
}

void Stream::cancel_send() {
  if (shaking_ || direct_ || sender_) transport_->cancel_send();
}

bool Stream::broken() const { return end_ == End::failed || transport_->broken(); }

void Stream::abort() {
  if (!shaking_) {
    plain_ = Chunk();
    usable_ = false;
    if (end_ != End::failed) {
      receive_failed(stopped(ErrorKind::cancelled, "receive").error());
    }
    if (send_error_ == nullptr) send_failed(stopped(ErrorKind::cancelled, "send").error());
  }
  transport_->abort();
  cancel_recv();
}

void Stream::watch_peer(loop::PeerWatch* watch) {
  watch_ = watch;
  if (watch == nullptr) return transport_->watch_peer(nullptr);
  if (end_ != End::open) return tell_watch();
  transport_->watch_peer(this);  // may call back at once
  if (watch_ != nullptr && !has_received()) start_reading();
}

void Stream::tell_watch() {
  if (watch_ == nullptr || end_ == End::open) return;
  const bool ended = end_ == End::finished || receive_error_->reason == reason::kTruncated;
  std::exchange(watch_, nullptr)->on_peer_end(ended ? ErrorKind::closed : ErrorKind::reset);
}

void Stream::on_peer_end(ErrorKind how) {
  if (watch_ != nullptr) std::exchange(watch_, nullptr)->on_peer_end(how);
}

Failure Stream::stopped(ErrorKind kind, std::string_view what) const {
  return fail(kind, fmt::format("TLS {}: {}", what,
                                kind == ErrorKind::timeout ? "timed out" : "cancelled"));
}

}  // namespace doorward::tls
