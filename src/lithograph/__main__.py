from lithograph.cli import main

main()
