# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# The exported targets of the ROS wheels name include folders of the machine that built the wheels. CMake refuses to
# generate when an imported target names a folder that does not exist, so such names are removed at the very end of
# configuring, when every target has been imported. Nothing that is installed is changed.
function(vos_prune_wheel_includes)
  get_property(imported DIRECTORY "${CMAKE_SOURCE_DIR}" PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS imported)
    get_target_property(folders "${target}" INTERFACE_INCLUDE_DIRECTORIES)
    if(NOT folders)
      continue()
    endif()
    set(usable "")
    foreach(folder IN LISTS folders)
      # Relative names and generator expressions cannot be judged here; they are left as they are.
      if(EXISTS "${folder}" OR NOT IS_ABSOLUTE "${folder}")
        list(APPEND usable "${folder}")
      endif()
    endforeach()
    set_property(TARGET "${target}" PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${usable}")
  endforeach()
endfunction()

if(PROJECT_IS_TOP_LEVEL)
  cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL vos_prune_wheel_includes)
endif()
