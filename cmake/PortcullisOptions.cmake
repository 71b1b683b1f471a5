# Language, warnings, hardening and sanitizers: what every target is built with.
option(PORTCULLIS_BUILD_TESTS "Build tests, lab executables and benchmarks" ON)
option(PORTCULLIS_FUZZ "Build the libFuzzer targets (clang only)" OFF)
set(PORTCULLIS_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_LINK_DEPENDS_NO_SHARED ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                    -Wnon-virtual-dtor -Woverloaded-virtual -Wformat=2 -Werror
                    -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # TRY() is a statement expression, which both compilers support and -Wpedantic names an extension.
  # maybe-uninitialized misfires on std::variant in g++ 12 at -O2 and under sanitizers.
  add_compile_options(-Wno-pedantic -Wno-maybe-uninitialized -Wno-restrict)
else()
  add_compile_options(-Wno-gnu-statement-expression -Wno-missing-field-initializers)
endif()

if(PORTCULLIS_SANITIZE)
  add_compile_options(-fsanitize=${PORTCULLIS_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PORTCULLIS_SANITIZE})
  if(PORTCULLIS_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Asio's reference counts use fences, which ThreadSanitizer does not see; g++ 12 warns of each.
    add_compile_options(-Wno-tsan)
  endif()
  if(PORTCULLIS_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)  # coverage of every module; main comes with the targets
  endif()
else()
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection=full
                      $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-ftrivial-auto-var-init=zero)
  endif()
endif()
add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
