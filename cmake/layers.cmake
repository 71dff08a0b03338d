# doorward_layer(NAME FOLDER... [LINK target...]): a static library of the sources in src/NAME
# (and sub-folders) and, with DOORWARD_TESTS, one test program of its *_test.cc files.
# A test goes into a folder's list by existing; nothing needs to be registered here.

add_library(doorward_flags INTERFACE)
target_compile_options(doorward_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wno-missing-designated-field-initializers
  -fno-omit-frame-pointer)
if(DOORWARD_WERROR)
  target_compile_options(doorward_flags INTERFACE -Werror)
endif()
target_include_directories(doorward_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(doorward_flags INTERFACE DOORWARD_VERSION="${PROJECT_VERSION}")

# Standard headers that nearly every file includes, compiled once.
file(WRITE ${CMAKE_BINARY_DIR}/pch.cc "")
add_library(doorward_pch STATIC ${CMAKE_BINARY_DIR}/pch.cc)
target_link_libraries(doorward_pch PUBLIC doorward_flags)
target_precompile_headers(doorward_pch PRIVATE
  <algorithm> <array> <atomic> <chrono> <coroutine> <cstddef> <cstdint> <cstring> <expected>
  <functional> <memory> <optional> <span> <string> <string_view> <unordered_map> <utility>
  <variant> <vector>)

# A precompiled header holds absolute paths, so ccache would take it for another one in each clone;
# this sum stands for it: what it is made of and with.
file(SHA256 ${CMAKE_CURRENT_LIST_FILE} doorward_pch_list)
string(SHA256 doorward_pch_sum
  "${doorward_pch_list} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_CXX_FLAGS} ${CMAKE_BUILD_TYPE}")
file(WRITE ${CMAKE_BINARY_DIR}/CMakeFiles/doorward_pch.dir/cmake_pch.hxx.pch.sum ${doorward_pch_sum})

# Another profile makes other code: objects of two of them do not link. The preset names it from the
# build's folder, so that ccache finds what another clone has compiled.
function(doorward_follow_profile target)
  if(CMAKE_CXX_FLAGS_RELWITHDEBINFO MATCHES "-fprofile-use=([^ ]+)")
    get_target_property(sources ${target} SOURCES)
    get_filename_component(profile ${CMAKE_MATCH_1} ABSOLUTE BASE_DIR ${CMAKE_BINARY_DIR})
    set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS ${profile})
  endif()
endfunction()

function(doorward_use_pch target)
  set(header ${CMAKE_BINARY_DIR}/CMakeFiles/doorward_pch.dir/cmake_pch.hxx.pch)
  target_compile_options(${target} PRIVATE -Winvalid-pch "SHELL:-include-pch ${header}")
  get_target_property(sources ${target} SOURCES)
  set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS ${header})
  doorward_follow_profile(${target})
endfunction()

function(doorward_layer name)
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  file(GLOB_RECURSE all CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")
  if(sources)
    add_library(doorward_${name} STATIC ${sources})
    target_link_libraries(doorward_${name} PUBLIC doorward_flags ${arg_LINK})
    doorward_use_pch(doorward_${name})
  else()
    add_library(doorward_${name} INTERFACE)
    target_link_libraries(doorward_${name} INTERFACE doorward_flags ${arg_LINK})
  endif()
  if(DOORWARD_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE doorward_${name} GTest::gtest_main)
    doorward_use_pch(${name}_test)
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()
endfunction()
