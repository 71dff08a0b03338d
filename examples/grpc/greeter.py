#!/usr/bin/python3
"""A gRPC service, greeter.Greeter: Hello greets one name, Greetings as many times as it has letters.
Names and greetings are google.protobuf.StringValue, so nothing has to be generated.
greeter.py PORT (0 takes a free one). Debian: python3-grpcio, python3-protobuf."""
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf.wrappers_pb2 import StringValue


def hello(name, context):
    if not name.value:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "nobody to greet")
    return StringValue(value=f"Hello, {name.value}!")


def greetings(name, context):
    for letter in name.value:
        yield StringValue(value=f"{letter.upper()} as in {name.value}")


METHODS = {
    "Hello": grpc.unary_unary_rpc_method_handler(
        hello, StringValue.FromString, StringValue.SerializeToString),
    "Greetings": grpc.unary_stream_rpc_method_handler(
        greetings, StringValue.FromString, StringValue.SerializeToString),
}

if __name__ == "__main__":
    server = grpc.server(ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("greeter.Greeter", METHODS)])
    port = server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    server.start()
    print(f"greeter on 127.0.0.1:{port}", flush=True)
    try:
        server.wait_for_termination()
    except KeyboardInterrupt:
        pass
