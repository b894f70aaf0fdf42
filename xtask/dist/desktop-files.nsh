  !insertmacro MoveAside "keybearer-desktop.exe"
  File "keybearer-desktop.exe"
  !insertmacro MoveAside "WebView2Loader.dll"
  File "WebView2Loader.dll"
