# portcullis_library(evidence/snp DEPENDS base crypto PRIVATE OpenSSL::Crypto)
#   One folder under src/ is one static library portcullis_<folder with _>, holding all its *.cpp.
#   DEPENDS: what its headers and sources may include from src/ (checked by tests/layers_test.py).
#   PRIVATE: third-party targets that stay inside its .cpp files.
#   FAILPOINTS: builds a second library <name>_failpoints with the named fail points compiled in;
#   only lab executables link it.
function(portcullis_library folder)
  cmake_parse_arguments(ARG "FAILPOINTS" "" "DEPENDS;PRIVATE" ${ARGN})
  string(REPLACE "/" "_" name "portcullis_${folder}")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.cpp)
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.h)
  _portcullis_one_library(${name} "${sources}" "${headers}" "${ARG_DEPENDS}" "${ARG_PRIVATE}")
  if(sources AND ARG_FAILPOINTS AND PORTCULLIS_BUILD_TESTS)
    _portcullis_one_library(${name}_failpoints "${sources}" "${headers}" "${ARG_DEPENDS}" "${ARG_PRIVATE}")
    target_compile_definitions(${name}_failpoints PRIVATE PORTCULLIS_FAILPOINTS)
  endif()
endfunction()

function(_portcullis_one_library name sources headers depends third_party)
  list(TRANSFORM depends REPLACE "/" "_")
  list(TRANSFORM depends PREPEND "portcullis_")
  if(sources)
    add_library(${name} STATIC ${sources})
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(${name} PUBLIC ${depends} PRIVATE ${third_party})
    target_sources(${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}/src FILES ${headers})
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(${name} INTERFACE ${depends} ${third_party})
  endif()
endfunction()

# portcullis_executable(NAME FOLDER SOURCES ... DEPENDS ... PRIVATE ...): a program of ours, as PIE.
function(portcullis_executable name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
  list(TRANSFORM ARG_DEPENDS REPLACE "/" "_")
  list(TRANSFORM ARG_DEPENDS PREPEND "portcullis_")
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} ${ARG_PRIVATE})
  target_link_options(${name} PRIVATE -pie)
endfunction()
