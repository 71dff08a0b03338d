#!/usr/bin/python3
"""Calls greeter.Greeter: greet.py HOST:PORT NAME."""
import sys

import grpc
from google.protobuf.wrappers_pb2 import StringValue

ENCODED = {"request_serializer": StringValue.SerializeToString,
           "response_deserializer": StringValue.FromString}

with grpc.insecure_channel(sys.argv[1]) as channel:
    hello = channel.unary_unary("/greeter.Greeter/Hello", **ENCODED)
    greetings = channel.unary_stream("/greeter.Greeter/Greetings", **ENCODED)
    name = StringValue(value=sys.argv[2])
    try:
        print(hello(name, timeout=5).value)
        for greeting in greetings(name, timeout=5):
            print(greeting.value)
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
